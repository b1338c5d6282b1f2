//! Looks at how senders do, and has the ownership told of it.

use jiff::Timestamp;
use lambda_kit::Metrics;
use reputation::Alert;
use serde_json::Value;
use store::Route;

use crate::alerts::{decide_alert, route_keys};
use crate::decide::Action;
use crate::delivery::Delivery;
use crate::digest::Rendered;
use crate::effects::Effects;
use crate::effects::rejection::Rejection;
use crate::metrics::count_alert;

impl Effects {
    /// Looks at everyone once. An alert ends when the `deliver` queue or the `unrouted` topic has all of it; until then a
    /// later round tells it again, under the same id.
    ///
    /// # Errors
    /// When the table fails, when a sender could not be looked at, or an alert not be told. The others were.
    pub async fn watch(&self, metrics: &mut Metrics, now: Timestamp) -> anyhow::Result<()> {
        let round = match self.watch.round(now).await {
            Ok(round) => round,
            Err(error) => {
                metrics.count("CheckFailures", vec![]);
                return Err(error.into());
            }
        };
        for rates in &round.worst {
            let per_10000 = |rate: Option<f64>| (rate.unwrap_or_default() * 10_000.0).round();
            tracing::info!(
                owner = rates.sender.owner,
                account = rates.sender.account,
                bounces_per_10000 = per_10000(rates.day.bounce_rate()),
                complaints_per_10000 = per_10000(rates.day.complaint_rate()),
                recipients = rates.day.volume(),
                "a sender's rates"
            );
        }
        let mut failed = round.failures.len();
        for (sender, error) in &round.failures {
            let (owner, account) = (&sender.owner, &sender.account);
            tracing::error!(owner, account, %error, "did not look at a sender");
            metrics.count("CheckFailures", vec![]);
        }
        for alert in &round.alerts {
            let (owner, account, kind) = (&alert.sender.owner, &alert.sender.account, alert.kind());
            match self.tell(alert).await {
                Ok(actions) => {
                    tracing::info!(owner, account, kind, targets = actions.len(), "told of an alert");
                    count_alert(metrics, kind, &actions);
                }
                Err(error) => {
                    tracing::error!(owner, account, kind, error = %error, "did not tell of an alert");
                    metrics.count("CheckFailures", vec![]);
                    failed += 1;
                }
            }
        }
        anyhow::ensure!(failed == 0, "the watch failed for {failed} senders or alerts");
        Ok(())
    }

    async fn tell(&self, alert: &Alert) -> anyhow::Result<Vec<Action>> {
        let routes = self.routing.routes(route_keys(alert).into_iter().collect()).await?;
        let routes: Vec<Route> = routes.values().flat_map(|routes| routes.iter().cloned()).collect();
        let actions: Vec<(usize, Action)> = decide_alert(alert, &routes)
            .into_iter()
            .map(|action| (0, action))
            .collect();
        if let Some((_, error)) = self.apply(&actions).await.into_iter().next() {
            anyhow::bail!(error);
        }
        self.watch.mark_notified(alert).await?;
        Ok(actions.into_iter().map(|(_, action)| action).collect())
    }

    /// Alerts are rare and urgent, so they wait for no digest. SES knows no idempotency: tried again after an answer that
    /// was lost, a person reads one twice.
    pub(super) async fn mail_alert(&self, address: &str, delivery: &Delivery) -> Result<(), Rejection> {
        let address = self.mailable(address)?;
        let alert: Value = serde_json::from_str(&delivery.body).unwrap_or_default();
        let text = |name: &str| alert.get(name).and_then(Value::as_str);
        let (Some(subject), Some(text)) = (text("subject"), text("text")) else {
            return Err(Rejection::for_good(
                "InvalidAlert",
                "expected an alert's subject and text",
            ));
        };
        self.send_mail(address.key(), &Rendered::of_text(subject, text)).await
    }
}
