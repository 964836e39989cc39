//! The flags, and the settings that they make.

use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::{Context, bail};
use channel_simulator::{ApiConfig, Behaviour, Faults, SimulatorConfig};
use secrecy::SecretString;

use crate::keys;

/// Messages that a chat has had before, when nobody says.
const PAST: u32 = 200;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The webhook address to send to, which ends in /api/v1/webhooks/unipile/; with --listen also whoever
    /// subscribes over the API gets webhooks
    #[arg(long, value_name = "URL", required_unless_present = "listen")]
    webhook_url: Option<String>,
    /// Serve UniPile's API at this address; runs until it is stopped
    #[arg(long, value_name = "ADDRESS")]
    pub(super) listen: Option<SocketAddr>,
    /// The key that callers of the API need
    #[arg(long, value_name = "KEY", requires = "listen")]
    api_key: Option<String>,
    /// Everything that follows from a call follows at once, and nobody answers; for tests
    #[arg(long, requires = "listen")]
    prompt: bool,
    /// Messages that every chat has had before, for the API to list
    #[arg(long, value_name = "MESSAGES", requires = "listen")]
    past: Option<u32>,
    /// A file with the secret that webhooks carry
    #[arg(long, value_name = "FILE")]
    secret_file: Option<PathBuf>,
    /// The header that carries it
    #[arg(long, value_name = "NAME")]
    secret_header: Option<String>,
    /// Settings of the simulator in TOML; flags come on top
    #[arg(long, value_name = "FILE")]
    settings: Option<PathBuf>,
    /// A crowd that sends this many events flat out and whose outcome does not depend on order; for tests
    #[arg(long, value_name = "EVENTS", conflicts_with = "settings")]
    load: Option<u64>,
    /// Where all chance comes from; the same seed gives the same events
    #[arg(long)]
    seed: Option<u64>,
    /// Connected accounts
    #[arg(long)]
    accounts: Option<usize>,
    /// Contacts of each account
    #[arg(long)]
    contacts: Option<usize>,
    /// Groups of each account
    #[arg(long)]
    groups: Option<usize>,
    /// Events of the past hours, sent in a burst at the start
    #[arg(long)]
    history: Option<u64>,
    /// Events a second after that, on average
    #[arg(long)]
    rate: Option<f64>,
    /// Send no more after this many events; 0 leaves everything to the callers of the API
    #[arg(long)]
    total: Option<u64>,
    /// Requests under way at the same time
    #[arg(long)]
    concurrency: Option<usize>,
    /// Send as fast as the receiver takes them
    #[arg(long)]
    flat_out: bool,
    /// Write what was acknowledged, and what was not, as JSON lines into this file at the end
    #[arg(long, value_name = "FILE")]
    pub(super) ledger: Option<PathBuf>,
    #[command(flatten)]
    faults: FaultArgs,
}

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Faults, each a chance from 0 to 1")]
struct FaultArgs {
    /// Everything that a receiver must survive without losing anything
    #[arg(long)]
    rough: bool,
    /// Sent twice
    #[arg(long)]
    duplicate: Option<f64>,
    /// Overtaken by later events
    #[arg(long)]
    reorder: Option<f64>,
    /// Sent later than it happened
    #[arg(long)]
    delay: Option<f64>,
    /// Never sent
    #[arg(long)]
    drop: Option<f64>,
    /// A bad body beside it
    #[arg(long)]
    poison: Option<f64>,
}

/// Takes a flag over, if it was given.
fn take<T>(into: &mut T, flag: Option<T>) {
    if let Some(value) = flag {
        *into = value;
    }
}

impl Args {
    pub(super) fn settings(&self) -> anyhow::Result<SimulatorConfig> {
        let mut config = self.base()?;
        take(&mut config.seed, self.seed);
        take(&mut config.accounts, self.accounts);
        take(&mut config.contacts, self.contacts);
        take(&mut config.groups, self.groups);
        take(&mut config.history, self.history);
        take(&mut config.rate_per_second, self.rate);
        take(&mut config.total, self.total.map(Some));
        self.faults.apply(&mut config.faults);
        self.serve(&mut config)?;
        let delivery = &mut config.delivery;
        delivery.target_url = self.webhook_url.clone().unwrap_or_default();
        take(&mut delivery.secret_header, self.secret_header.clone());
        take(&mut delivery.concurrency, self.concurrency);
        delivery.paced &= !self.flat_out;
        delivery.keep_events |= self.ledger.is_some();
        if let Some(path) = &self.secret_file {
            let secret = keys::read(path)?;
            let secret = secret.with_context(|| format!("{} holds no secret", path.display()))?;
            delivery.secret_value = Some(SecretString::from(secret.expose()));
        }
        Ok(config)
    }

    /// What the API needs, where one is served.
    fn serve(&self, config: &mut SimulatorConfig) -> anyhow::Result<()> {
        if self.listen.is_none() {
            if config.api.is_some() {
                bail!("the settings have a section [api]: say with --listen where to serve it");
            }
            return Ok(());
        }
        let invented = config.api.is_none();
        let api = config.api.get_or_insert_with(ApiConfig::default);
        match (self.prompt, invented) {
            (true, _) => api.behaviour = Behaviour::default(),
            (false, true) => api.behaviour = Behaviour::lively(),
            (false, false) => {}
        }
        take(&mut api.key, self.api_key.clone());
        take(&mut config.past_per_chat, self.past.or(invented.then_some(PAST)));
        Ok(())
    }

    fn base(&self) -> anyhow::Result<SimulatorConfig> {
        if let Some(events) = self.load {
            return Ok(SimulatorConfig::load(self.seed.unwrap_or_default(), events));
        }
        let Some(path) = &self.settings else {
            return Ok(SimulatorConfig::default());
        };
        let unreadable = || format!("cannot use {}", path.display());
        let text = std::fs::read_to_string(path).with_context(unreadable)?;
        toml::from_str(&text).with_context(unreadable)
    }
}

impl FaultArgs {
    fn apply(&self, faults: &mut Faults) {
        if self.rough {
            *faults = Faults::rough();
        }
        take(&mut faults.duplicate, self.duplicate);
        take(&mut faults.reorder, self.reorder);
        take(&mut faults.delay, self.delay);
        take(&mut faults.drop, self.drop);
        take(&mut faults.poison, self.poison);
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        args: Args,
    }

    fn settings(flags: &[&str]) -> SimulatorConfig {
        let line = ["simulate", "--webhook-url", "http://127.0.0.1:1/"].iter().chain(flags);
        Line::parse_from(line).args.settings().unwrap()
    }

    #[test]
    fn flags_come_on_top_of_a_file_and_of_the_presets() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "seed = 5\ncontacts = 3\n[faults]\ndrop = 0.5\n").unwrap();
        let path = file.path().to_str().unwrap();
        let config = settings(&["--settings", path, "--seed", "6", "--flat-out"]);
        assert_eq!((config.seed, config.contacts), (6, 3));
        assert!((config.faults.drop - 0.5).abs() < f64::EPSILON && !config.delivery.paced);
        assert_eq!(config.delivery.target_url, "http://127.0.0.1:1/");

        let load = settings(&["--load", "100", "--rough", "--duplicate", "0.9"]);
        assert_eq!(load.total, Some(100));
        assert!((load.faults.duplicate - 0.9).abs() < f64::EPSILON && load.faults.poison > 0.0);
    }

    #[test]
    fn an_api_is_served_only_where_somebody_says_at_which_address() {
        let quiet = settings(&[]);
        assert!(quiet.api.is_none());
        let served = Line::parse_from(["simulate", "--listen", "127.0.0.1:0", "--api-key", "k"]);
        let served = served.args.settings().unwrap();
        let api = served.api.unwrap();
        assert_eq!((&*api.key, &*served.delivery.target_url), ("k", ""));
        assert_eq!((api.behaviour, served.past_per_chat), (Behaviour::lively(), PAST));
        assert_eq!(settings(&["--listen", "[::1]:0", "--prompt"]).api, Some(ApiConfig::default()));

        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "[api]\nkey = \"k\"\n").unwrap();
        let path = file.path().to_str().unwrap();
        let line = ["simulate", "--webhook-url", "http://127.0.0.1:1/", "--settings", path];
        let error = Line::parse_from(line).args.settings().unwrap_err().to_string();
        assert!(error.contains("--listen"), "{error}");
        assert!(Line::try_parse_from(["simulate"]).is_err());
    }

    #[test]
    fn a_secret_file_without_a_secret_is_named() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let path = file.path().to_str().unwrap();
        let line = ["simulate", "--webhook-url", "http://127.0.0.1:1/", "--secret-file", path];
        let error = Line::parse_from(line).args.settings().unwrap_err().to_string();
        assert!(error.contains(path), "{error}");
    }
}
