//! Which variables count.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

use aws_sdk_dynamodb::config::endpoint::{DefaultResolver, Params, ResolveEndpoint};
use lambda_clients::{Aws, BadEnvironment};

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

#[tokio::test]
async fn fips_dual_stack_and_other_partitions_lead_to_other_hosts() {
    let cases: [(&str, &[_]); 4] = [
        ("https://dynamodb.eu-west-1.amazonaws.com", &[]),
        (
            "https://dynamodb.cn-north-1.amazonaws.com.cn",
            &[("AWS_REGION", "cn-north-1")],
        ),
        (
            "https://dynamodb-fips.us-gov-east-1.amazonaws.com",
            &[("AWS_REGION", "us-gov-east-1"), ("AWS_USE_FIPS_ENDPOINT", "true")],
        ),
        (
            "https://dynamodb.eu-west-1.api.aws",
            &[("AWS_USE_DUALSTACK_ENDPOINT", "True")],
        ),
    ];
    for (expected, changes) in cases {
        let aws = from(changes).unwrap();
        let params = Params::builder()
            .set_region(aws.config().region().map(ToString::to_string))
            .set_use_fips(aws.config().use_fips())
            .set_use_dual_stack(aws.config().use_dual_stack());
        let endpoint = DefaultResolver::new()
            .resolve_endpoint(&params.build().unwrap())
            .await
            .unwrap();
        assert_eq!(endpoint.url(), expected);
    }
}

#[test]
fn nothing_secret_is_in_the_debug_output() {
    let text = format!("{:?}", from(&[]).unwrap());
    assert!(!text.contains("very secret"), "{text}");
}
