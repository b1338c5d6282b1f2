//! A `postroom.toml` as people write it: read, or refused with the line and the reason.

#![no_main]

/// The command line's reader, compiled alone.
#[path = "../../tools/postroomctl/src"]
mod postroomctl {
    #[allow(dead_code, unused_imports)]
    pub mod config;
}

use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    // It reads files only.
    let file = std::env::temp_dir().join(format!("postroom-fuzz-{}.toml", std::process::id()));
    std::fs::write(&file, text).expect("a place for a file");
    if let Err(error) = postroomctl::config::read(&file) {
        let words = error.to_string();
        let lines = text.lines().count().max(1) + 1;
        for problem in words.lines().filter_map(|line| line.split_once(".toml:")) {
            let number: usize = problem.1.split(':').next().and_then(|number| number.parse().ok()).expect("a line");
            assert!((1..=lines).contains(&number), "line {number} of {lines}: {words}");
        }
    }
});
