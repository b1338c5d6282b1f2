//! `postroom.toml`: the problems that are reported, the JSON schema, and the routes of the example. Needs no AWS.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const EVENT: &str = "../../events/feedback/delegate-bounce.json";

fn postroomctl(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_postroomctl"))
        .args(arguments)
        .env_clear()
        .output()
        .unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// The problems of a file, as `line: key path: message`.
fn problems(file: &Path) -> Vec<String> {
    let file = file.to_str().unwrap();
    let output = postroomctl(&["routes", "test", EVENT, "--config", file]);
    assert_eq!(output.status.code(), Some(2), "{file}: {}", text(&output.stdout));
    let stderr = text(&output.stderr);
    let mut lines = stderr.lines();
    assert_eq!(lines.next(), Some(format!("postroomctl: {file} is invalid:").as_str()));
    lines
        .map(|line| line.strip_prefix(&format!("{file}:")).unwrap().to_owned())
        .collect()
}

/// In the files of `tests/config`, each `#~` line is a problem of the last line before it that is not a `#~` line.
#[test]
fn all_problems_of_a_file_are_reported_with_line_and_key_path() {
    let mut files = 0;
    for entry in std::fs::read_dir("tests/config").unwrap() {
        let file = entry.unwrap().path();
        let content = std::fs::read_to_string(&file).unwrap();
        let mut expected = Vec::new();
        let mut line = 0;
        for (index, text) in content.lines().enumerate() {
            match text.trim().strip_prefix("#~ ") {
                Some(problem) => expected.push(format!("{line}: {problem}")),
                None => line = index + 1,
            }
        }
        assert_eq!(problems(&file), expected, "{}", file.display());
        files += 1;
    }
    assert!(files >= 5, "{files}");
}

/// A syntax error, an unknown key, a missing key or a wrong type ends the reading of the file.
#[test]
fn syntax_errors_unknown_keys_and_wrong_types_are_reported_with_line_and_key_path() {
    let cases = [
        ("[[route]]\nname = \"a\n", "2: invalid basic string, expected `\"`"),
        (
            "[[acounts]]\naccount = \"111122223333\"",
            "1: acounts: unknown field `acounts`, expected one of `account`, `route`, `thresholds`, `mailbox`, `identity`, \
             `configuration-set`, `topic`; did you \
             mean account?",
        ),
        (
            "[[route]]\nname = \"a\"\ntaget = \"b\"",
            "3: route[1].taget: unknown field `taget`, expected one of `name`, `owner`, `account`, `identity`, \
             `configuration-sets`, `tenants`, `events`, `target`, `redaction`; did you mean target?",
        ),
        (
            "account = [\n  { account = \"1\" },\n  { account = \"2\", colour = \"red\" },\n]",
            "3: account[2].colour: unknown field `colour`, expected one of `account`, `name`, `identities`",
        ),
        (
            "[thresholds.bounces]\n\nwarm = \"2 %\"",
            "3: thresholds.bounces.warm: unknown field `warm`, expected one of `warn`, `enforce`, \
             `min-hour-recipients`, `min-day-recipients`, `min-events`; did you mean warn?",
        ),
        (
            "[[mailbox]]\naddress = \"*\"\nactions = [\n  { action = \"auto-reply\", evry-days = 3 },\n]",
            "4: mailbox[1].actions[1].evry-days: unknown field `evry-days`, expected one of `action`, `to`, `from`, \
             `subject`, `text`, `every-days`, `reason`, `status-code`, `keep-subject`, `days`, `when-suppressed`, \
             `quarantine-mark`, `content`; did you mean every-days?",
        ),
        ("[[account]]\nname = \"Shop\"", "1: account[1]: missing field `account`"),
        (
            "[[route]]\nname = \"a\"\ntarget = \"b\"\n\n[[route]]\nname = \"c\"",
            "5: route[2]: missing field `target`",
        ),
        ("[[mailbox]]\naddress = \"*\"", "1: mailbox[1]: missing field `actions`"),
        (
            "[[mailbox]]\naddress = \"*\"\nactions = [{ action = \"forwrad\" }]",
            "3: mailbox[1].actions[1].action: unknown variant `forwrad`, expected one of `store`, `forward`, \
             `unsubscribe`, `auto-reply`, `bounce`, `notify`, `drop`; did you mean forward?",
        ),
        (
            "[[mailbox]]\naddress = \"*\"\nactions = []\nverdicts = { spam-fail = \"delete\" }",
            "4: mailbox[1].verdicts.spam-fail: unknown variant `delete`, expected one of `continue`, `tag`, \
             `stop-rule`, `stop-rule-set`, `bounce`",
        ),
        (
            "[[mailbox]]\naddress = \"*\"\nactions = [{ action = \"store\", keep-subject = \"txt\" }]",
            "3: mailbox[1].actions[1].keep-subject: unknown variant `txt`, expected one of `none`, `hash`, `text`; did \
             you mean text?",
        ),
        (
            "[[mailbox]]\naddress = \"*\"\nactions = [{ action = \"store\", days = 0 }]",
            "3: mailbox[1].actions[1].days: invalid value: integer `0`, expected a nonzero u32",
        ),
        (
            "[[route]]\nname = \"a\"\ntarget = \"b\"\nredaction = \"full\"",
            "4: route[1].redaction: unknown variant `full`, expected `none` or `standard`",
        ),
        (
            "[thresholds]\nenforcements = [\"pause-tenant\"]",
            "2: thresholds.enforcements[1]: unknown variant `pause-tenant`, expected one of \
             `pause-configuration-set`, `disable-tenant`, `revoke-authorization`",
        ),
        (
            "[thresholds.bounces]\nmin-events = 0",
            "2: thresholds.bounces.min-events: invalid value: integer `0`, expected a nonzero u64",
        ),
        (
            "[thresholds.bounces]\nmin-hour-recipients = 1.5",
            "2: thresholds.bounces.min-hour-recipients: invalid type: floating point `1.5`, expected a nonzero u64",
        ),
        (
            "account = \"all\"",
            "1: account: invalid type: string \"all\", expected a sequence",
        ),
        (
            "[[account]]\naccount = 111122223333",
            "2: account[1].account: invalid type: integer `111122223333`, expected a string",
        ),
        (
            "[[account]]\naccount = \"111122223333\"\nidentities = [\"shop.example\"]",
            "3: account[1].identities[1]: invalid type: string \"shop.example\", expected a table",
        ),
        (
            "[[route]]\nname = true",
            "2: route[1].name: invalid type: boolean `true`, expected a string",
        ),
        (
            "[[route]]\nname = \"a\"\nevents = \"Bounce\"",
            "3: route[1].events: invalid type: string \"Bounce\", expected a sequence",
        ),
    ];
    let file = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("shape.toml");
    for (content, expected) in cases {
        std::fs::write(&file, content).unwrap();
        assert_eq!(problems(&file), [expected], "{content}");
    }
}

#[test]
fn the_schema_in_docs_is_current() {
    let output = postroomctl(&["schema"]);
    let documented = std::fs::read_to_string("../../docs/postroom.schema.json").unwrap_or_default();
    assert_eq!(
        text(&output.stdout),
        documented,
        "run: postroomctl schema > docs/postroom.schema.json"
    );
}

#[test]
fn notifications_are_routed_as_in_the_example() {
    let mut table = String::new();
    for event in [
        "delegate-bounce",
        "delivery",
        "complaint-abuse",
        "send-without-source-arn",
        "bad-not-from-ses",
    ] {
        let file = format!("../../events/feedback/{event}.json");
        let output = postroomctl(&["routes", "test", &file, "--config", "../../docs/examples/postroom.toml"]);
        table.push_str(&format!(
            "# {event}, exit code {}\n{}{}\n",
            output.status.code().unwrap(),
            text(&output.stdout),
            text(&output.stderr)
        ));
    }
    insta::assert_snapshot!("routes_test", table);
}

#[test]
fn routes_test_requires_a_file_or_a_table() {
    let output = postroomctl(&["routes", "test", EVENT]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("expected --config (routes of a file) or --table"));
}

/// Every block of TOML in the pages about configuration.
#[test]
fn the_configurations_in_the_docs_are_valid() {
    let mut blocks = 0;
    for page in [
        "../../README.md",
        "../../docs/settings.md",
        "../../docs/routing.md",
        "../../docs/inbound.md",
    ] {
        let content = std::fs::read_to_string(page).unwrap();
        for block in content.split("```toml\n").skip(1) {
            let block = block.split("```").next().unwrap();
            let file = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("docs-{blocks}.toml"));
            std::fs::write(&file, block).unwrap();
            let output = postroomctl(&["routes", "test", EVENT, "--config", file.to_str().unwrap()]);
            // 1: no route of the block matches the event.
            let is_valid = matches!(output.status.code(), Some(0 | 1));
            assert!(is_valid, "{page}: {}\n{block}", text(&output.stderr));
            blocks += 1;
        }
    }
    assert!(blocks >= 8, "{blocks}");
}
