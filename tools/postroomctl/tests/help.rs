//! Every command shows how it is used.
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
fn every_command_has_an_example() {
    let mut commands = vec![Vec::new()];
    let mut seen = 0;
    while let Some(command) = commands.pop() {
        let text = help(&command);
        let Some((_, list)) = text.split_once("\nCommands:\n") else {
            let line = format!("  postroomctl {} ", command.join(" "));
            let example = text
                .split_once("\nExample")
                .map(|(_, example)| format!("{example} "))
                .unwrap_or_default();
            assert!(format!("{example} ").contains(line.trim_end()), "{command:?}");
            seen += 1;
            continue;
        };
        for line in list.lines().take_while(|line| line.starts_with("  ")) {
            let name = line.split_whitespace().next().unwrap();
            if name != "help" {
                commands.push([command.as_slice(), &[name.to_owned()]].concat());
            }
        }
    }
    assert!(seen >= 20, "{seen}");
}
