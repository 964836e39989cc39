//! Row 4: processor time of a webhook.

use super::rate::{Case, Rates};
use super::{many, single_file};
use crate::env::Env;
use crate::product::IntakeKind;
use crate::table::Line;

pub(super) const NOTE: &str = "Processor time, user and system, of the product and of all processes \
    of its database server during rows 1 and 3 (own disk), divided by the webhooks. The senders are \
    not in it.";

/// Milliseconds.
const REACH: f64 = 0.15;

pub(super) async fn run(env: &mut Env, rates: &mut Rates) -> anyhow::Result<Vec<Line>> {
    let mut lines = vec![];
    for (case, reference) in
        [(many::CASE, IntakeKind::Single), (single_file::CASE, IntakeKind::Serial)]
    {
        let ours = rates.of(env, case).await?;
        let theirs = rates.of(env, Case { intake: reference, ..case }).await?;
        let sum = ours.product_cpu + ours.database_cpu;
        let their_sum = theirs.product_cpu + theirs.database_cpu;
        let text = |product: f64, database: f64| {
            format!("{:.3} ms: product {product:.3}, database {database:.3}", product + database)
        };
        let line = Line::new(4, format!("processor time of a webhook, {}", case.kind.name()))
            .measured(text(ours.product_cpu, ours.database_cpu))
            .reference(text(theirs.product_cpu, theirs.database_cpu))
            .ratio(their_sum / sum)
            .reach(format!("≤ {REACH} ms"), sum <= REACH)
            .number("product_ms", ours.product_cpu)
            .number("database_ms", ours.database_cpu)
            .number("reference_ms", their_sum);
        lines.push(line);
    }
    Ok(lines)
}
