//! A Lambda event of any shape: whatever is in it, every record that failed is named, and nobody else.

#![no_main]

use std::collections::BTreeSet;

use futures_util::FutureExt;
use intake::{Batch, EventSource, Record};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|event: &[u8]| {
    let Ok(batch) = Batch::from_slice(event) else { return };
    let (via, number) = (batch.via(), batch.len());
    for record in batch.records() {
        let id = record.as_ref().map_or_else(|bad| &bad.id, |record| &record.id);
        assert!(via != EventSource::Sqs || !id.is_empty(), "Lambda would take it for the whole batch");
    }
    // Some fail and some panic, told by their own words.
    let handle = |record: Record| async move {
        match record.payload.len() % 4 {
            0 => Err("refused"),
            1 if cfg!(panic = "unwind") && record.payload.starts_with("panic") => panic!("as asked"),
            _ => Ok(()),
        }
    };
    let outcomes = batch.run(4, handle).now_or_never().expect("nothing here waits");
    assert_eq!(outcomes.iter().count(), number, "a record is lost");
    let failed: BTreeSet<String> = outcomes.failures().map(|(id, _)| id.to_owned()).collect();
    let failures = outcomes.failures().count();
    match outcomes.report() {
        Err(error) => assert!(failures > 0 && error.failed == failures),
        Ok(response) => {
            let answer = serde_json::to_value(&response).expect("an answer");
            if via != EventSource::Sqs {
                assert_eq!((answer, failures), (serde_json::Value::Null, 0));
                return;
            }
            let named = answer["batchItemFailures"].as_array().expect("a list").iter();
            let named: BTreeSet<String> =
                named.map(|one| one["itemIdentifier"].as_str().expect("an id").to_owned()).collect();
            assert_eq!(named, failed);
        }
    }
});
