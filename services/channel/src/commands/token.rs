//! `channel token`.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use channel_runtime::clock::SystemClock;
use channel_runtime::config::AuthConfig;
use channel_runtime::identity::{Identity, Role, TokenIssuer};

use super::duration;
use crate::config::{Config, ConfigArgs};
use crate::keys;
use crate::output::Output;

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Print a new token, signed with the configured secret or the one in the data folder
    Mint(Mint),
}

#[derive(Debug, clap::Args)]
pub(crate) struct Mint {
    /// What the caller may do: viewer < agent < admin; operator and service stand apart
    #[arg(long, value_parser = role, value_name = "viewer|agent|admin|operator|service")]
    role: Role,
    /// The only accounts that the caller may see; may be repeated [default: all of the tenant's]
    #[arg(long = "account", value_name = "ACCOUNT_ID")]
    accounts: Vec<String>,
    /// Whose accounts they are [default: the setting store.tenant]
    #[arg(long)]
    tenant: Option<String>,
    /// Who the caller is, for limits and logs
    #[arg(long, default_value = "command-line")]
    subject: String,
    /// How long the token is good for
    #[arg(long, value_parser = duration, default_value = "24h", value_name = "DURATION")]
    valid: Duration,
    #[command(flatten)]
    config: ConfigArgs,
}

/// By the name that tokens carry.
fn role(text: &str) -> Result<Role, String> {
    let all = [Role::Viewer, Role::Agent, Role::Admin, Role::Operator, Role::Service];
    let found = all.into_iter().find(|role| role.name() == text);
    found.ok_or_else(|| "expected viewer, agent, admin, operator or service".to_owned())
}

pub(crate) fn run(command: Command, mut out: Output) -> anyhow::Result<()> {
    let Command::Mint(mint) = command;
    let config = mint.config.load()?;
    let issuer = TokenIssuer::new(&auth(&config)?, Arc::new(SystemClock))?;
    let valid = mint.valid;
    let token = issuer.mint(&identity(mint, &config), valid)?;
    Ok(out.line(token.expose())?)
}

fn auth(config: &Config) -> anyhow::Result<AuthConfig> {
    let mut auth = config.auth.clone();
    if auth.secret.is_empty() {
        let path = config.store.path.join(keys::AUTH);
        let kept = keys::read(&path)?;
        auth.secret = kept.with_context(|| {
            format!("`auth.secret` is not set, and there is no {}", path.display())
        })?;
    }
    Ok(auth)
}

fn identity(mint: Mint, config: &Config) -> Identity {
    let named: BTreeSet<String> = mint.accounts.into_iter().collect();
    Identity {
        subject: mint.subject.into(),
        tenant: mint.tenant.unwrap_or_else(|| config.store.tenant.clone()).into(),
        role: mint.role,
        accounts: (!named.is_empty()).then(|| Arc::new(named)),
        expires_at: 0,
    }
}
