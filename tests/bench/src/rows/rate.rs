//! How many webhooks in a second, and what each takes. Rows 1 to 4 share it.

use crate::child::Part;
use crate::cpu;
use crate::database::Kind;
use crate::env::{Disk, Env};
use crate::load::{Loaded, Phase};
use crate::product::{self, IntakeKind, SECRET};
use crate::stats::{float, millis, thousands};
use crate::table::Line;
use anyhow::{bail, ensure};

/// As many requests are under way.
const SENDERS: usize = 64;
/// No more than this is sent in a second: requests are made beforehand.
const MOST_PER_SECOND: f64 = 22_000.0;

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Case {
    pub(super) kind: Kind,
    pub(super) disk: Disk,
    pub(super) intake: IntakeKind,
    pub(super) accounts: usize,
}

/// What it came to.
#[derive(Debug, Clone)]
pub(super) struct Rate {
    pub(super) loaded: Loaded,
    /// Milliseconds for each webhook.
    pub(super) product_cpu: f64,
    pub(super) database_cpu: f64,
    pub(super) body_bytes: f64,
}

/// What has been measured in this run.
#[derive(Debug, Default)]
pub(super) struct Rates(Vec<(Case, Rate)>);

impl Rates {
    /// Measures once in a run.
    pub(super) async fn of(&mut self, env: &mut Env, case: Case) -> anyhow::Result<Rate> {
        if let Some((_, rate)) = self.0.iter().find(|(known, _)| *known == case) {
            return Ok(rate.clone());
        }
        let rate = measure(env, case).await?;
        self.0.push((case, rate.clone()));
        Ok(rate)
    }
}

async fn measure(env: &mut Env, case: Case) -> anyhow::Result<Rate> {
    let place = env.database(case.kind, case.disk)?;
    let preload = env.preload_of(case.kind, case.disk)?;
    let (product, doors) = product::start(&place, case.intake, preload.as_deref()).await?;
    let (warmup, seconds) = (env.sizes.warmup, env.sizes.seconds);
    let mut senders = Part::start(
        [
            "load".to_owned(),
            format!("--webhooks={}", doors.webhooks),
            format!("--secret={SECRET}"),
            format!("--senders={SENDERS}"),
            format!("--accounts={}", case.accounts),
            format!("--warmup={warmup}"),
            format!("--seconds={seconds}"),
            format!("--most={:.0}", MOST_PER_SECOND * (warmup + seconds)),
        ],
        None,
    )?;
    let Phase::Ready { body_bytes } = senders.hear().await? else { bail!("not ready") };
    senders.go().await?;
    let Phase::Measuring = senders.hear().await? else { bail!("not measuring") };
    let before = used(env, case, product.id()?)?;
    let Phase::Done(loaded) = senders.hear().await? else { bail!("not done") };
    let after = used(env, case, product.id()?)?;
    senders.end().await?;
    product.end().await?;
    ensure!(loaded.refused == 0, "{} webhooks were refused", loaded.refused);
    let each = |before: f64, after: f64| (after - before) / float(loaded.times.count);
    Ok(Rate {
        product_cpu: each(before.0, after.0),
        database_cpu: each(before.1, after.1),
        body_bytes,
        loaded,
    })
}

/// Processor time of the product and of its database server.
fn used(env: &mut Env, case: Case, product: u32) -> anyhow::Result<(f64, f64)> {
    let database = match case.kind {
        Kind::Postgres => cpu::of_family(env.server(case.disk)?.id())?,
        Kind::Sqlite => 0.0,
    };
    Ok((cpu::of_process(product)?, database))
}

/// What a rate must come to.
pub(super) struct Goal {
    pub(super) row: u8,
    pub(super) times: [f64; 2],
    pub(super) lower_p99: bool,
    pub(super) at_least: Option<f64>,
}

/// Measures product and reference on both disks.
pub(super) async fn compare(
    env: &mut Env,
    rates: &mut Rates,
    product: Case,
    reference: IntakeKind,
    goal: &Goal,
) -> anyhow::Result<Vec<Line>> {
    let mut lines = vec![];
    for (disk, times) in Disk::BOTH.into_iter().zip(goal.times) {
        let case = Case { disk, ..product };
        let ours = rates.of(env, case).await?;
        let theirs = rates.of(env, Case { intake: reference, ..case }).await?;
        lines.push(line(case, &ours, &theirs, times, goal));
    }
    Ok(lines)
}

fn line(case: Case, ours: &Rate, theirs: &Rate, times: f64, goal: &Goal) -> Line {
    let ratio = ours.loaded.per_second / theirs.loaded.per_second;
    let (p99, their_p99) = (ours.loaded.times.p99, theirs.loaded.times.p99);
    let mut reached = ratio >= times && (!goal.lower_p99 || p99 < their_p99);
    let mut reach = format!("≥ {times}×");
    if goal.lower_p99 {
        reach += ", lower p99";
    }
    if let Some(least) = goal.at_least {
        reached &= ours.loaded.per_second >= least;
        reach = format!("{reach}, ≥ {}/s", thousands(least));
    }
    let accounts = match case.accounts {
        1 => "one account".to_owned(),
        many => format!("{many} accounts"),
    };
    let what = format!("webhook → durable, {}, {accounts}, {}", case.kind.name(), case.disk.name());
    Line::new(goal.row, what)
        .measured(text(ours))
        .reference(text(theirs))
        .ratio(ratio)
        .reach(reach, reached)
        .number("per_second", ours.loaded.per_second)
        .number("p50_us", ours.loaded.times.p50)
        .number("p99_us", p99)
        .number("reference_per_second", theirs.loaded.per_second)
        .number("reference_p50_us", theirs.loaded.times.p50)
        .number("reference_p99_us", their_p99)
        .number("body_bytes", ours.body_bytes)
}

fn text(rate: &Rate) -> String {
    let Loaded { per_second, times, .. } = &rate.loaded;
    format!(
        "{}/s, p50 {} ms, p99 {} ms",
        thousands(*per_second),
        millis(times.p50),
        millis(times.p99)
    )
}
