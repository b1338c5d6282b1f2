//! `postroom.toml`: every error names a line of the file.

#![no_main]

/// The configuration reader of the command line, compiled without the rest of the crate.
#[path = "../../tools/postroomctl/src"]
mod postroomctl {
    #[allow(dead_code, unused_imports)]
    pub mod config;
}

use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    // The reader takes a file.
    let file = std::env::temp_dir().join(format!("postroom-fuzz-{}.toml", std::process::id()));
    std::fs::write(&file, text).expect("the temporary folder is not writable");
    if let Err(error) = postroomctl::config::read(&file) {
        let message = error.to_string();
        let lines = text.lines().count().max(1) + 1;
        for problem in message.lines().filter_map(|line| line.split_once(".toml:")) {
            let number: usize = problem.1.split(':').next().and_then(|number| number.parse().ok()).expect("the error has no line number");
            assert!((1..=lines).contains(&number), "line {number} of {lines}: {message}");
        }
    }
});
