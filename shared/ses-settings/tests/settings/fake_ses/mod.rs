//! SES and SNS as far as settings use them, behind mocked clients.

mod configuration_sets;
mod identities;
mod notifications;
mod topics;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use aws_credential_types::Credentials;
use aws_sdk_ses as v1;
use aws_sdk_sesv2 as v2;
use aws_sdk_sns as sns;
use aws_smithy_mocks::{MockResponseInterceptor, RuleMode, create_mock_http_client};
use aws_smithy_types::error::ErrorMetadata;
use ses_settings::{Pace, SesSettings};
use v2::types::EventDestination;

/// When the process ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kill {
    /// Before the call takes effect.
    Before,
    /// After the call took effect, before its response arrives.
    After,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct FakeIdentity {
    pub(crate) topics: BTreeMap<String, String>,
    pub(crate) headers: BTreeSet<String>,
    pub(crate) forwarding: bool,
    pub(crate) default_set: Option<String>,
    pub(crate) policies: BTreeMap<String, String>,
}

#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct FakeSet {
    pub(crate) metrics: bool,
    pub(crate) paused: bool,
    pub(crate) reasons: Option<Vec<String>>,
    pub(crate) destinations: BTreeMap<String, EventDestination>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct FakeTopic {
    pub(crate) policy: String,
    pub(crate) subscriptions: BTreeSet<(String, String)>,
}

type Hook = Box<dyn FnMut(&str, &mut State) + Send>;

#[derive(Default)]
pub(crate) struct State {
    pub(crate) identities: BTreeMap<String, FakeIdentity>,
    pub(crate) sets: BTreeMap<String, FakeSet>,
    pub(crate) topics: BTreeMap<String, FakeTopic>,
    /// The operations that were called, with the name of the object.
    pub(crate) calls: Vec<String>,
    /// The call (from 1) at which the process ends.
    pub(crate) kill: Option<(usize, Kill)>,
    /// The calls (from 1) that are answered with this error code and have no effect.
    pub(crate) errors: BTreeMap<usize, &'static str>,
    /// The calls (from 1) that take effect, and whose response is this error code.
    pub(crate) lost_responses: BTreeMap<usize, &'static str>,
    /// Runs before each call takes effect.
    pub(crate) hook: Option<Hook>,
}

impl State {
    /// What a later run finds.
    pub(crate) fn settings(&self) -> impl PartialEq + std::fmt::Debug + use<> {
        (self.identities.clone(), self.sets.clone(), self.topics.clone())
    }
}

#[derive(Clone, Default)]
pub(crate) struct FakeSes(Arc<Mutex<State>>);

fn rejected(code: &str, message: &str) -> ErrorMetadata {
    ErrorMetadata::builder().code(code).message(message).build()
}

macro_rules! rule {
    ($fake:expr, $krate:ident, $method:ident, $module:ident, $output:ident, $error:ident, $object:ident, |$state:ident, $input:ident| $body:expr) => {{
        let fake = $fake.clone();
        mock!($krate::Client::$method).then_compute_response(move |$input| {
            let object = format!("{:?}", $input.$object());
            let result = fake.call(concat!(stringify!($output), " "), &object, |$state| $body);
            match result {
                Ok(output) => MockResponse::Output(output),
                Err(error) => MockResponse::Error($krate::operation::$module::$error::generic(error)),
            }
        })
    }};
}

use rule;

/// A client of a service that answers with rules. `mock_client!` would need features of the SDK that no other test needs.
macro_rules! client {
    ($krate:ident, $rules:expr) => {{
        let mut interceptor = MockResponseInterceptor::new().rule_mode(RuleMode::MatchAny);
        for rule in &$rules {
            interceptor = interceptor.with_rule(rule);
        }
        let config = $krate::Config::builder()
            .behavior_version($krate::config::BehaviorVersion::latest())
            .region($krate::config::Region::new("us-east-1"))
            .credentials_provider(Credentials::new("local", "local", None, None, "test"))
            .retry_config($krate::config::retry::RetryConfig::disabled())
            .http_client(create_mock_http_client())
            .interceptor(interceptor)
            .build();
        $krate::Client::from_conf(config)
    }};
}

impl FakeSes {
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sets a topic as a person does in the console.
    pub(crate) fn set_topic(&self, identity: &str, kind: &str, topic: &str) {
        let mut state = self.state();
        let identity = state.identities.get_mut(identity).unwrap();
        identity.topics.insert(kind.to_owned(), topic.to_owned());
    }

    fn call<T>(
        &self,
        operation: &str,
        object: &str,
        effect: impl FnOnce(&mut State) -> Result<T, ErrorMetadata>,
    ) -> Result<T, ErrorMetadata> {
        let mut state = self.state();
        let name = operation.trim().trim_end_matches("Output");
        let object = object
            .trim_start_matches("Some(")
            .trim_end_matches(')')
            .trim_matches('"');
        let call = format!("{name} {object}");
        state.calls.push(call.clone());
        let number = state.calls.len();
        if let Some(mut hook) = state.hook.take() {
            hook(&call, &mut state);
            state.hook = Some(hook);
        }
        assert_ne!(state.kill, Some((number, Kill::Before)), "killed");
        if let Some(code) = state.errors.get(&number) {
            return Err(rejected(code, "injected"));
        }
        let result = effect(&mut state);
        assert_ne!(state.kill, Some((number, Kill::After)), "killed");
        match state.lost_responses.get(&number) {
            Some(code) => Err(rejected(code, "injected")),
            None => result,
        }
    }

    /// The clients. The pause does not take real time in a test with paused time.
    pub(crate) fn settings(&self, pause: Duration) -> SesSettings {
        let (v1_rules, sns_rules) = (self.v1_rules(), self.sns_rules());
        let mut v2_rules = self.v2_identity_rules();
        v2_rules.extend(self.v2_set_rules());
        SesSettings::new(
            client!(v1, v1_rules),
            client!(v2, v2_rules),
            client!(sns, sns_rules),
            Pace::new(pause),
        )
    }
}
