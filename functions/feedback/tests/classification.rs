//! Every row of `classification.md` is a case: the evidence on the left, the classification on the right.

use std::fmt::Write as _;

use feedback::classification::{Because, BounceClassification, BounceKind, Evidence, classify};
use notification_model::{Bounce, BounceSubType, DsnAction, StatusCode};
use proptest::prelude::*;

const CASES: &str = include_str!("classification.md");

const OWN_LIST_SUBTYPES: [BounceSubType; 4] = [
    BounceSubType::OnAccountSuppressionList,
    BounceSubType::OnTenantSuppressionList,
    BounceSubType::EmailValidationSuppressed,
    BounceSubType::UnsubscribedRecipient,
];

fn classified(
    bounce_type: &str,
    sub_type: &str,
    action: Option<&str>,
    status: Option<StatusCode>,
    text: &str,
) -> BounceClassification {
    classify(&Evidence {
        bounce_type: &bounce_type.into(),
        sub_type: &sub_type.into(),
        action: action.map(DsnAction::from).as_ref(),
        status,
        diagnostic: Some(text),
    })
}

fn lines() -> impl Iterator<Item = &'static str> {
    CASES
        .lines()
        .filter(|line| line.starts_with('|') && !line.starts_with("| type") && !line.starts_with("|--"))
}

fn rows() -> impl Iterator<Item = [&'static str; 9]> {
    lines().filter_map(|line| {
        let cells: Vec<_> = line.trim_matches('|').split('|').map(str::trim).collect();
        cells.try_into().ok()
    })
}

#[test]
fn every_row_of_the_table_holds() {
    let mut wrong = String::new();
    for row in rows() {
        let [
            bounce_type,
            sub_type,
            action,
            status,
            text,
            kind,
            reason,
            certainty,
            because,
        ] = row;
        let given = |cell: &'static str| (cell != "-").then_some(cell);
        let status_code = given(status).map(|text| text.parse().expect("a status code"));
        let text_given = given(text).unwrap_or_default().replace(r"\n", "\n");
        let is = classified(bounce_type, sub_type, given(action), status_code, &text_given);
        let found = [
            is.kind.as_str(),
            is.reason.as_str(),
            is.certainty.as_str(),
            &is.because.to_string(),
        ];
        if [kind, reason, certainty, because] != found {
            let BounceClassification {
                kind,
                reason,
                certainty,
                because,
            } = is;
            writeln!(
                wrong,
                "| {bounce_type} | {sub_type} | {action} | {status} | {text} | {kind} | {reason} | {certainty} | {because} |"
            )
            .expect("writing to a string");
        }
    }
    assert!(
        wrong.is_empty(),
        "these rows of classification.md would have to read:\n{wrong}"
    );
}

#[test]
fn every_row_has_its_nine_cells() {
    assert_eq!(rows().count(), lines().count());
    assert!(rows().count() >= 200, "most of the table is gone");
}

fn any_evidence() -> impl Strategy<Value = (String, String, Option<String>, Option<StatusCode>, String)> {
    let column = |cell: fn([&'static str; 9]) -> &'static str, unknown| {
        let words: Vec<_> = rows().map(cell).chain([unknown]).collect();
        prop::sample::select(words).prop_map(str::to_owned)
    };
    let status = (prop::sample::select(&[2u8, 4, 5][..]), 0..9u16, 0..30u16);
    (
        column(|row| row[0], "a@b.example"),
        column(|row| row[1], "a@b.example"),
        prop::option::of(column(|row| row[2], "a@b.example")),
        prop::option::of(status.prop_map(|(class, subject, detail)| StatusCode::new(class, subject, detail))),
        prop_oneof![any::<String>(), "[ -~\\n]{0,80}", column(|row| row[4], "")],
    )
}

proptest! {
    #[test]
    fn letter_case_of_the_reply_does_not_matter((kind, sub_type, action, status, text) in any_evidence()) {
        let as_received = classified(&kind, &sub_type, action.as_deref(), status, &text);
        let upper_case = classified(&kind, &sub_type, action.as_deref(), status, &text.to_ascii_uppercase());
        prop_assert_eq!((as_received.kind, as_received.reason), (upper_case.kind, upper_case.reason));
    }

    #[test]
    fn a_subtype_of_an_own_list_is_suppressed_by_ses_with_any_evidence(
        (kind, _, action, status, text) in any_evidence(),
        sub_type in prop::sample::select(&OWN_LIST_SUBTYPES[..]),
    ) {
        let classification = classified(&kind, sub_type.as_str(), action.as_deref(), status, &text);
        prop_assert_eq!(classification.kind, BounceKind::SuppressedBySes);
    }

    #[test]
    fn without_such_a_subtype_or_words_nothing_is_suppressed_by_ses((kind, sub_type, action, status, text) in any_evidence()) {
        prop_assume!(!OWN_LIST_SUBTYPES.contains(&BounceSubType::from(sub_type.as_str())));
        prop_assume!(!text.contains("suppression list"));
        let classification = classified(&kind, &sub_type, action.as_deref(), status, &text);
        prop_assert_ne!(classification.kind, BounceKind::SuppressedBySes);
    }

    #[test]
    fn a_delayed_or_transient_recipient_is_never_hard((kind, sub_type, action, status, text) in any_evidence()) {
        prop_assume!(sub_type != "Suppressed");
        let delayed = classified(&kind, &sub_type, Some("delayed"), status, &text);
        prop_assert_ne!(delayed.kind, BounceKind::Hard);
        let own = Some(StatusCode::new(4, 1, 1));
        prop_assert_ne!(classified(&kind, &sub_type, action.as_deref(), own, &text).kind, BounceKind::Hard);
    }

    #[test]
    fn the_explanation_holds_no_address((kind, sub_type, action, status, text) in any_evidence()) {
        let text = format!("<jane.doe@example.com> {text} (no such user joe@example.org) rfc822;a@b.example");
        let because = classified(&kind, &sub_type, action.as_deref(), status, &text).because.to_string();
        prop_assert!(!because.contains('@'), "{because}");
    }
}

#[test]
fn a_table_phrase_in_an_address_decides_nothing() {
    let classification = classified(
        "Transient",
        "General",
        Some("failed"),
        None,
        "550 refused <user-unknown.spam.over-quota@example.com>",
    );
    assert!(
        matches!(classification.because, Because::Type(..)),
        "{classification:?}"
    );
}

#[test]
fn recipients_of_one_notification_are_judged_apart() {
    let bounce: Bounce = serde_json::from_str(
        r#"{
            "bounceType": "Permanent",
            "bounceSubType": "General",
            "timestamp": "2025-03-01T10:00:00.000Z",
            "bouncedRecipients": [
                {"emailAddress": "a@example.com", "action": "failed", "status": "5.1.1", "diagnosticCode": ""},
                {"emailAddress": "b@example.com", "action": "delayed", "status": "4.4.1"}
            ]
        }"#,
    )
    .expect("a bounce");
    let kinds = bounce
        .bounced_recipients
        .iter()
        .map(|recipient| classify(&Evidence::of(&bounce, recipient)).kind);
    assert_eq!(kinds.collect::<Vec<_>>(), [BounceKind::Hard, BounceKind::Soft]);
}
