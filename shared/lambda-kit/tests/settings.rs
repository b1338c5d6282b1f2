//! The settings reader: accepted values, defaults and error messages.

use lambda_kit::{Environment, InvalidSetting};

fn environment(value: &'static str) -> Environment<impl Fn(&str) -> Option<String>> {
    Environment::new(move |variable| (variable == "SETTING").then(|| value.to_owned()))
}

fn message<T>(result: Result<T, InvalidSetting>) -> String {
    result.map_or_else(|error| error.to_string(), |_| "accepted".to_owned())
}

#[test]
fn an_unset_or_blank_variable_has_the_default() {
    for unset in [environment(""), environment(" \t")] {
        assert_eq!(unset.optional("SETTING"), None);
        assert_eq!(unset.number("SETTING", 1..=20, 5), Ok(5));
        assert_eq!(unset.positive_number("SETTING", 7u64), Ok(7));
        assert_eq!(unset.flag("SETTING", true), Ok(true));
        assert_eq!(unset.choice("SETTING", &[("a", 1), ("b", 2)], 2), Ok(2));
        assert_eq!(unset.parsed("SETTING", "anything", |text| Some(text.len())), Ok(None));
    }
    assert_eq!(environment("x").optional("OTHER"), None);
}

#[test]
fn values_are_trimmed_unless_spaces_matter() {
    let padded = environment(" mail/ ");
    assert_eq!(padded.required("SETTING", "a prefix").as_deref(), Ok("mail/"));
    assert_eq!(padded.untrimmed("SETTING"), " mail/ ");
    assert_eq!(padded.untrimmed("OTHER"), "");
    assert_eq!(environment(" 12 ").number("SETTING", 1..=20, 5), Ok(12));
    assert_eq!(environment("b ").choice("SETTING", &[("a", 1), ("b", 2)], 1), Ok(2));
}

#[test]
fn an_error_names_the_variable_and_the_accepted_values_but_not_the_value() {
    let number = |value| message(environment(value).number("SETTING", 1..=20, 5));
    let expected = "environment variable SETTING: expected a number from 1 to 20";
    for value in ["0", "21", "-1", "1.5", "many"] {
        assert_eq!(number(value), expected, "{value}");
    }
    assert_eq!(number("20"), "accepted");
    assert_eq!(
        message(environment("0").positive_number("SETTING", 1u32)),
        "environment variable SETTING: expected a number of at least 1"
    );
    assert_eq!(
        message(environment("yes").flag("SETTING", false)),
        "environment variable SETTING: expected true or false"
    );
    assert_eq!(
        message(environment("d").choice("SETTING", &[("a", 1), ("b", 2), ("c", 3)], 1)),
        "environment variable SETTING: expected a, b or c"
    );
    assert_eq!(
        message(environment("secret").parsed("SETTING", "a mail address", |_| None::<()>)),
        "environment variable SETTING: expected a mail address"
    );
    assert_eq!(
        message(environment("").required("SETTING", "the name of the DynamoDB table")),
        "environment variable SETTING: expected the name of the DynamoDB table"
    );
}

#[test]
fn debug_output_shows_no_variable() {
    assert_eq!(format!("{:?}", environment("secret")), "Environment");
}
