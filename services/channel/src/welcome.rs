//! The first thing that a newcomer sees.

use std::net::SocketAddr;
use std::path::Path;

use crate::config::{StoreKind, Upstream};
use crate::keys;
use crate::output::{Output, Style};
use crate::roles::WEBHOOK_PATH;
use crate::roles::all::Started;
use crate::tokens;

/// The default address, which the commands know by themselves.
const KNOWN_ADDRESS: &str = "127.0.0.1:8080";
/// The default folder.
const KNOWN_FOLDER: &str = "./data";

/// Shows where everything is and what to do next. `program` is how it was called.
pub(crate) fn show(started: &Started, program: &str, out: &mut Output) -> anyhow::Result<()> {
    let mut page = Page::default();
    page.heading(started, out);
    page.places(started, out);
    if started.token.is_some() {
        page.watching(started, program, out);
        page.calling(started, out);
    }
    if started.upstream == Upstream::Demo {
        page.token(started, out);
    }
    page.0
        .push(out.styled(Style::Faint, "  Ctrl-C stops it; what has arrived stays.").into_owned());
    page.0.push(String::new());
    Ok(out.line(page.0.join("\n"))?)
}

#[derive(Default)]
struct Page(Vec<String>);

impl Page {
    fn heading(&mut self, started: &Started, out: &Output) {
        let name = out
            .styled(Style::Strong, concat!("whatsapp-channel ", env!("CARGO_PKG_VERSION")))
            .into_owned();
        let upstream = match &started.upstream {
            Upstream::Demo => {
                "a simulator in UniPile's place; everyone in it is invented".to_owned()
            }
            Upstream::UniPile(url) => format!("UniPile at {url}"),
            Upstream::None => {
                "no upstream; webhooks are received from whoever has the secret".to_owned()
            }
        };
        self.0.extend([String::new(), format!("  {name}  {upstream}"), String::new()]);
    }

    fn places(&mut self, started: &Started, out: &Output) {
        let store = &started.config.store;
        let folder = store.path.display();
        self.place("gateway", &url_of(started.gateway), "gRPC, gRPC-Web, webhooks", out);
        self.place("admin", &url_of(started.admin), "/healthz /readyz /metrics", out);
        match store.kind {
            StoreKind::Sqlite => self.place("data", &folder.to_string(), "SQLite", out),
            StoreKind::Postgres => self.place("data", "PostgreSQL", "", out),
        }
        if started.token.is_some() {
            let path = store.path.join(tokens::ADMIN).display().to_string();
            self.place("token", &path, "good for 24 hours", out);
        }
        if started.own_webhook_secret && started.upstream != Upstream::Demo {
            let path = store.path.join(keys::WEBHOOK).display().to_string();
            let header = &started.config.ingest.secret_header;
            let note = format!("goes into the header {header} of webhooks to {WEBHOOK_PATH}");
            self.place("secret", &path, &note, out);
        }
        self.0.push(String::new());
    }

    fn place(&mut self, name: &str, place: &str, note: &str, out: &Output) {
        let line = format!("  {name:<9} {place:<24}  {}", out.styled(Style::Faint, note));
        self.0.push(line.trim_end().to_owned());
    }

    fn watching(&mut self, started: &Started, program: &str, out: &Output) {
        let mut words = vec![program.to_owned(), "watch".to_owned()];
        if started.gateway.to_string() != KNOWN_ADDRESS {
            words.extend(["--server".to_owned(), url_of(started.gateway)]);
        }
        let folder = &started.config.store.path;
        if folder != Path::new(KNOWN_FOLDER) {
            words.extend(["--data".to_owned(), folder.display().to_string()]);
        }
        self.step("See it live, in another terminal:", &[words.join(" ")], out);
    }

    fn calling(&mut self, started: &Started, out: &Output) {
        let token = started.config.store.path.join(tokens::ADMIN);
        let header = format!("authorization: Bearer $(cat {})", token.display());
        let method = "channel.query.v1.QueryService/ListChats";
        let url = url_of(started.gateway);
        let buf = [
            format!("buf curl --protocol grpc --http2-prior-knowledge -H \"{header}\" \\"),
            format!("  {url}/{method}"),
        ];
        let grpcurl = [
            format!("grpcurl -plaintext -H \"{header}\" \\"),
            format!("  {} {method}", started.gateway),
        ];
        self.step("Call it; reflection tells what there is:", &[buf, grpcurl].concat(), out);
    }

    /// For clients that cannot read the file. Nobody in the demo is real; any other token stays in its file.
    fn token(&mut self, started: &Started, out: &Output) {
        if let Some(token) = &started.token {
            self.step("The token itself:", &[token.expose().to_owned()], out);
        }
    }

    fn step(&mut self, title: &str, commands: &[String], out: &Output) {
        self.0.extend([format!("  {title}"), String::new()]);
        let commands = commands.iter();
        self.0.extend(commands.map(|line| format!("    {}", out.styled(Style::Strong, line))));
        self.0.push(String::new());
    }
}

fn url_of(address: SocketAddr) -> String {
    format!("http://{address}")
}

#[cfg(test)]
mod tests {
    use channel_runtime::config::Secret;
    use channel_unipile::hosts::check_base_url;

    use super::*;
    use crate::config::Config;
    use crate::output::Paper;

    fn shown(started: &Started) -> String {
        let paper = Paper::default();
        show(started, "channel", &mut Output::plain(paper.clone())).unwrap();
        paper.text()
    }

    fn started(upstream: Upstream) -> Started {
        Started {
            gateway: ([127, 0, 0, 1], 8080).into(),
            admin: ([127, 0, 0, 1], 7402).into(),
            upstream,
            token: Some(Secret::new("a.b.c")),
            own_webhook_secret: true,
            config: Config::default(),
        }
    }

    #[test]
    fn a_newcomer_sees_where_everything_is_and_what_to_type() {
        let shown = shown(&started(Upstream::Demo));
        insta::assert_snapshot!(shown);
    }

    #[test]
    fn with_real_accounts_the_secrets_stay_in_their_files() {
        let url = check_base_url("https://api1.unipile.com:13111").unwrap();
        insta::assert_snapshot!(shown(&started(Upstream::UniPile(url))));
    }
}
