//! Which variables count.

use lambda_kit::{Aws, BadEnvironment};

const LAMBDA: [(&str, &str); 3] = [
    ("AWS_REGION", "eu-west-1"),
    ("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE"),
    ("AWS_SECRET_ACCESS_KEY", "very secret"),
];

fn from(changes: &'static [(&'static str, &'static str)]) -> Result<Aws, BadEnvironment> {
    Aws::from_env(move |asked| {
        let (_, value) = changes.iter().chain(&LAMBDA).find(|(name, _)| *name == asked)?;
        Some((*value).to_owned())
    })
}

#[test]
fn a_missing_variable_is_named() {
    let cases: [(&str, &[_]); 3] = [
        ("AWS_REGION", &[("AWS_REGION", "")]),
        ("AWS_ACCESS_KEY_ID", &[("AWS_ACCESS_KEY_ID", " ")]),
        ("AWS_SECRET_ACCESS_KEY", &[("AWS_SECRET_ACCESS_KEY", "")]),
    ];
    for (name, changes) in cases {
        let error = from(changes).unwrap_err().to_string();
        assert!(error.contains(name) && !error.contains("very secret"), "{error}");
    }
}

#[test]
fn a_service_s_own_endpoint_goes_first() {
    let aws = from(&[
        ("AWS_ENDPOINT_URL", "http://all"),
        ("AWS_ENDPOINT_URL_DYNAMODB", "http://table"),
    ])
    .unwrap();
    let own = aws.config().service_config().unwrap();
    let key = |service| {
        aws_types::service_config::ServiceConfigKey::builder()
            .service_id(service)
            .env("AWS_ENDPOINT_URL")
            .profile("endpoint_url")
            .build()
            .unwrap()
    };
    assert_eq!(own.load_config(key("DynamoDB")).as_deref(), Some("http://table"));
    assert_eq!(own.load_config(key("Secrets Manager")), None);
    assert_eq!(aws.config().endpoint_url(), Some("http://all"));
}

#[test]
fn nothing_secret_is_in_the_debug_output() {
    let text = format!("{:?}", from(&[]).unwrap());
    assert!(!text.contains("very secret"), "{text}");
}
