//! Lambda events of any shape: the response names every failed record and no other.

#![no_main]

use std::collections::BTreeSet;

use futures_util::FutureExt;
use intake::{Batch, EventSource, Record};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|event: &[u8]| {
    let Ok(batch) = Batch::from_slice(event) else { return };
    let (via, number) = (batch.via(), batch.len());
    for record in batch.records() {
        let id = record.as_ref().map_or_else(|invalid| &invalid.id, |record| &record.id);
        assert!(via != EventSource::Sqs || !id.is_empty(), "an empty id would fail the whole batch");
    }
    // The length of a record decides whether it fails or panics.
    let handle = |record: Record| async move {
        match record.payload.len() % 4 {
            0 => Err("test error"),
            1 if cfg!(panic = "unwind") && record.payload.starts_with("panic") => panic!("test panic"),
            _ => Ok(()),
        }
    };
    let outcomes = batch.run(4, handle).now_or_never().expect("the handler does not wait");
    assert_eq!(outcomes.iter().count(), number, "a record has no outcome");
    let failed: BTreeSet<String> = outcomes.failures().map(|(id, _)| id.to_owned()).collect();
    let failures = outcomes.failures().count();
    match outcomes.report() {
        Err(error) => assert!(failures > 0 && error.failed == failures),
        Ok(response) => {
            let value = serde_json::to_value(&response).expect("the response is not JSON");
            if via != EventSource::Sqs {
                assert_eq!((value, failures), (serde_json::Value::Null, 0));
                return;
            }
            let named = value["batchItemFailures"].as_array().expect("batchItemFailures is not a list").iter();
            let named: BTreeSet<String> =
                named.map(|failure| failure["itemIdentifier"].as_str().expect("itemIdentifier is not a string").to_owned()).collect();
            assert_eq!(named, failed);
        }
    }
});
