//! The help texts.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

use std::process::Command;

fn help(command: &[String]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_postroomctl"))
        .args(command)
        .arg("--help")
        .env_clear()
        .output()
        .unwrap();
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn the_top_level_help_lists_all_commands() {
    insta::assert_snapshot!("help", help(&[]));
}

#[test]
fn the_help_of_every_command_has_an_example() {
    let mut commands = vec![Vec::new()];
    let mut with_example = 0;
    while let Some(command) = commands.pop() {
        let text = help(&command);
        let Some((_, subcommands)) = text.split_once("\nCommands:\n") else {
            let usage = format!("  postroomctl {} ", command.join(" "));
            let example = text.split_once("\nExample").map(|(_, example)| format!("{example} "));
            let example = example.unwrap_or_default();
            assert!(example.contains(usage.trim_end()), "{command:?}");
            with_example += 1;
            continue;
        };
        for line in subcommands.lines().take_while(|line| line.starts_with("  ")) {
            let name = line.split_whitespace().next().unwrap();
            if name != "help" {
                commands.push([command.as_slice(), &[name.to_owned()]].concat());
            }
        }
    }
    assert!(with_example >= 20, "{with_example}");
}
