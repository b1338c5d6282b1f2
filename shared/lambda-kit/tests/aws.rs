//! The environment variables that configure the AWS clients.

use aws_types::service_config::ServiceConfigKey;
use lambda_kit::{Aws, InvalidSetting};

const LAMBDA: [(&str, &str); 3] = [
    ("AWS_REGION", "eu-west-1"),
    ("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE"),
    ("AWS_SECRET_ACCESS_KEY", "very secret"),
];

fn aws(variables: &'static [(&'static str, &'static str)]) -> Result<Aws, InvalidSetting> {
    Aws::from_env(move |variable| {
        let mut all = variables.iter().chain(&LAMBDA);
        let (_, value) = all.find(|(name, _)| *name == variable)?;
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
    for (name, variables) in cases {
        let error = aws(variables).unwrap_err().to_string();
        assert!(
            error.starts_with(&format!("environment variable {name}: expected ")) && !error.contains("very secret"),
            "{error}"
        );
    }
}

#[test]
fn the_endpoint_of_a_service_takes_precedence() {
    let aws = aws(&[
        ("AWS_ENDPOINT_URL", "http://all"),
        ("AWS_ENDPOINT_URL_DYNAMODB", "http://table"),
    ])
    .unwrap();
    let endpoints = aws.config().service_config().unwrap();
    let key = |service| {
        ServiceConfigKey::builder()
            .service_id(service)
            .env("AWS_ENDPOINT_URL")
            .profile("endpoint_url")
            .build()
            .unwrap()
    };
    assert_eq!(endpoints.load_config(key("DynamoDB")).as_deref(), Some("http://table"));
    assert_eq!(endpoints.load_config(key("Secrets Manager")), None);
    assert_eq!(aws.config().endpoint_url(), Some("http://all"));
}

#[test]
fn debug_output_contains_no_secret() {
    let text = format!("{:?}", aws(&[]).unwrap());
    assert!(!text.contains("very secret"), "{text}");
}
