//! The problems and warnings of a configuration file.

use std::fmt;

use super::positions::Positions;

/// A problem or warning: its line, its key path and what is expected.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Problem {
    pub(super) line: usize,
    pub(super) path: String,
    pub(super) message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { line, path, message } = self;
        match path.as_str() {
            "" => write!(f, "{line}: {message}"),
            path => write!(f, "{line}: {path}: {message}"),
        }
    }
}

/// Why a file cannot be used: every problem, by line.
#[derive(Debug)]
pub(super) struct InvalidConfig {
    pub(super) file: String,
    pub(super) problems: Vec<Problem>,
}

impl fmt::Display for InvalidConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is invalid:", self.file)?;
        for problem in &self.problems {
            write!(f, "\n{}:{problem}", self.file)?;
        }
        Ok(())
    }
}

impl std::error::Error for InvalidConfig {}

/// Collects what the checks of a file find.
pub(super) struct Report {
    positions: Positions,
    pub(super) problems: Vec<Problem>,
    pub(super) warnings: Vec<Problem>,
}

impl Report {
    pub(super) fn new(positions: Positions) -> Self {
        Self {
            positions,
            problems: Vec::new(),
            warnings: Vec::new(),
        }
    }

    pub(super) fn problem(&mut self, path: &str, message: impl Into<String>) {
        let problem = self.at(path, message.into());
        self.problems.push(problem);
    }

    pub(super) fn warning(&mut self, path: &str, message: impl Into<String>) {
        let warning = self.at(path, message.into());
        self.warnings.push(warning);
    }

    /// Parses a value, or reports what is expected.
    pub(super) fn parse<T>(
        &mut self,
        path: &str,
        text: &str,
        expected: &str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Option<T> {
        let parsed = parse(text);
        if parsed.is_none() {
            self.problem(path, expected);
        }
        parsed
    }

    fn at(&self, path: &str, message: String) -> Problem {
        Problem {
            line: self.positions.line_of(path),
            path: path.to_owned(),
            message,
        }
    }
}
