//! The file that records completed objects, so that an interrupted replay continues.

use std::collections::BTreeSet;
use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use anyhow::Context;

#[derive(Default)]
pub(super) struct Progress {
    file: Option<PathBuf>,
    completed: BTreeSet<String>,
}

impl Progress {
    /// Reads the names of completed objects, one a line. Without a file nothing is recorded.
    pub(super) fn read(file: Option<&Path>) -> anyhow::Result<Self> {
        let Some(file) = file else { return Ok(Self::default()) };
        let completed = match std::fs::read_to_string(file) {
            Ok(text) => text.lines().map(str::to_owned).collect(),
            Err(error) if error.kind() == ErrorKind::NotFound => BTreeSet::new(),
            Err(error) => return Err(error).with_context(|| file.display().to_string()),
        };
        Ok(Self {
            file: Some(file.to_owned()),
            completed,
        })
    }

    pub(super) fn is_complete(&self, object: &str) -> bool {
        self.completed.contains(object)
    }

    pub(super) fn complete(&self, object: &str) -> anyhow::Result<()> {
        let Some(file) = &self.file else { return Ok(()) };
        let opened = OpenOptions::new().create(true).append(true).open(file);
        let written = opened.and_then(|mut file| writeln!(file, "{object}"));
        written.with_context(|| file.display().to_string())
    }
}
