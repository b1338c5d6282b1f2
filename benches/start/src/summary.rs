//! Summarises runs as rows.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, bail};
use serde_json::json;

use crate::subject::Subject;
use crate::{CONNECT, IDLE, Run};

/// The median of the measurements, and their interquartile range in percent of it.
pub(crate) struct Summary {
    median: f64,
    spread: f64,
}

impl Summary {
    pub(crate) fn of(mut values: Vec<f64>) -> Self {
        values.sort_by(f64::total_cmp);
        let at = |share: f64| {
            let index = (share * (values.len().max(1) - 1) as f64).round() as usize;
            values.get(index).copied().unwrap_or(f64::NAN)
        };
        let median = at(0.5);
        Self {
            median,
            spread: 100.0 * (at(0.75) - at(0.25)) / median,
        }
    }
}

type Measure = fn(&Run) -> f64;

pub(crate) fn print(subjects: &[Subject], measured: &[Vec<Run>], runs: usize) -> anyhow::Result<()> {
    let of = |name: &str, measure: Measure| {
        let index = subjects.iter().position(|subject| subject.name == name)?;
        Some(Summary::of(measured.get(index)?.iter().map(measure).collect()))
    };
    let row = |name: &str, what: &str, than: &str, unit: &str, measure: Measure| {
        if let (Some(ours), Some(other)) = (of(name, measure), of(than, measure)) {
            emit(&format!("{name}: {what}"), than, unit, &ours, &other, runs);
        }
    };
    let ready: Measure = |run| ms(run.immediate.ready);
    let ready_cpu: Measure = |run| ms(run.immediate.ready_cpu);
    let responded: Measure = |run| ms(run.immediate.responded);
    let handled: Measure = |run| ms(run.after_idle.handled);
    let memory: Measure = |run| run.immediate.peak_kib as f64 / 1024.0;
    let waiting = format!(
        "event after {} ms to its answer, connections take {} ms",
        IDLE.as_millis(),
        CONNECT.as_millis()
    );
    let ours = subjects
        .iter()
        .filter(|subject| subject.binary.is_some() && subject.name != "no-op");
    for subject in ours.clone() {
        row(subject.name, "start to first /next", "no-op", "ms", ready);
    }
    row("feedback", "start to first /next", "Python", "ms", ready);
    for subject in ours.clone() {
        row(
            subject.name,
            "processor time of the main thread until then",
            "no-op",
            "ms",
            ready_cpu,
        );
    }
    row(
        "feedback",
        "processor time of the main thread until then",
        "Python",
        "ms",
        ready_cpu,
    );
    row(
        "feedback",
        "start to first notification applied",
        "Python",
        "ms",
        responded,
    );
    row(
        "delegate-router",
        "start to first notification applied",
        "no-op",
        "ms",
        responded,
    );
    row("feedback", &waiting, "Python", "ms", handled);
    for subject in ours.clone() {
        row(subject.name, "peak memory", "no-op", "MiB", memory);
    }
    row("feedback", "peak memory", "Python", "MiB", memory);

    let noop = subjects.iter().find(|subject| subject.name == "no-op");
    let Some(noop) = noop.and_then(|noop| noop.binary.as_deref()) else {
        return Ok(());
    };
    for subject in ours {
        let Some(binary) = subject.binary.as_deref() else {
            continue;
        };
        let sizes = [
            ("binary", size(binary)?, size(noop)?),
            ("zip", zipped(binary)?, zipped(noop)?),
        ];
        for (what, ours, other) in sizes {
            let [ours, other] = [ours, other].map(|median| Summary { median, spread: 0.0 });
            emit(&format!("{}: {what}", subject.name), "no-op", "MB", &ours, &other, 1);
        }
    }
    Ok(())
}

#[expect(clippy::print_stdout, reason = "the rows are the output")]
fn emit(row: &str, than: &str, unit: &str, ours: &Summary, other: &Summary, runs: usize) {
    let round = |number: f64| (number * 1000.0).round() / 1000.0;
    let row = json!({
        "group": "Start", "row": row, "ours": round(ours.median), "other": round(other.median), "than": than,
        "ratio": round(ours.median / other.median), "unit": unit, "runs": runs,
        "spread": round(ours.spread.max(other.spread)), "command": "make bench",
    });
    println!("{row}");
}

fn ms(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}

fn size(binary: &Path) -> anyhow::Result<f64> {
    let length = std::fs::metadata(binary)
        .with_context(|| binary.display().to_string())?
        .len();
    Ok(length as f64 / 1e6)
}

/// The size of the deployment package in MB, zipped as `sam deploy` does.
fn zipped(binary: &Path) -> anyhow::Result<f64> {
    let zip = std::env::temp_dir().join(format!("bench-start-{}.zip", std::process::id()));
    let status = Command::new("python3")
        .args(["-m", "zipfile", "-c"])
        .args([zip.as_path(), binary])
        .status()?;
    if !status.success() {
        bail!("python3 -m zipfile failed for the binary");
    }
    let zipped = size(&zip);
    std::fs::remove_file(&zip)?;
    zipped
}
