//! Every webhook fixture and the rows that it must make, the same on both databases.

use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use channel_domain::Micros;
use channel_store::Store;
use channel_store::intake::{Delivery, Reading};
use channel_store::reads::{AttendeeQuery, ChatQuery, MessageQuery};
use channel_store_sqlite::{Options, SqliteStore};
use channel_unipile::v1::webhook::{Parsed, parse};
use std::fmt::Write;
use std::path::{Path, PathBuf};

/// When every fixture is received: after all of their times.
const RECEIVED: Micros = Micros(1_769_990_400_000_000);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_fixture_makes_its_rows() {
    for path in fixtures().unwrap() {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let body = std::fs::read(&path).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let sqlite = SqliteStore::open(folder.path(), Options::default()).await.unwrap();
        let on_sqlite = rows(&sqlite, &body).await.unwrap();
        let postgres = channel_store_postgres::testing::store().await;
        let on_postgres = rows(&*postgres, &body).await.unwrap();
        assert_eq!(on_sqlite, on_postgres, "{name} differs between the databases");
        insta::assert_snapshot!(name, on_sqlite);
    }
}

fn fixtures() -> Result<Vec<PathBuf>> {
    let folder =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../services/shared/unipile/tests/fixtures");
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let is_json = path.extension().is_some_and(|extension| extension == "json");
        found.extend(is_json.then_some(path));
    }
    ensure!(found.len() >= 25, "only {} fixtures", found.len());
    found.sort();
    Ok(found)
}

async fn rows(store: &dyn Store, body: &[u8]) -> Result<String> {
    let reading = match parse(body) {
        Parsed::Statement(statement) => {
            let digest = channel_unipile::digest(&statement).unwrap_or_default();
            Reading::Statement { statement: Box::new(statement), digest }
        }
        Parsed::Ignored { account, reason, .. } => {
            Reading::Ignored { account, reason: reason.code() }
        }
        Parsed::Rejected(rejection) => {
            Reading::Rejected { reason: rejection.reason.code(), detail: rejection.detail }
        }
    };
    let delivery = Delivery {
        received_at: RECEIVED,
        body: Bytes::copy_from_slice(body),
        headers: "{}".into(),
        reading,
        trace: None,
    };
    let mut taken = store.take(vec![delivery]).await?;
    let verdict = taken.verdicts.pop().context("no verdict")?;
    let mut out = format!("{:?} {}\n", verdict.outcome, verdict.reason.unwrap_or(""));
    for account in store.accounts(&"default".into()).await? {
        writeln!(out, "\n{:#?}", account.record)?;
        let all = ChatQuery { limit: 10, ..ChatQuery::default() };
        for (_, chat) in store.chats(account.key, &all).await? {
            writeln!(out, "\n{chat:#?}")?;
            let all = MessageQuery { before: None, after: None, inclusive: false, limit: 10 };
            for message in store.messages(account.key, &chat.id.as_str().into(), &all).await? {
                writeln!(out, "\n{message:#?}")?;
            }
        }
        let all = AttendeeQuery { limit: 10, ..AttendeeQuery::default() };
        for person in store.attendees(account.key, &all).await? {
            let person = person.record;
            writeln!(out, "\n{person:#?}")?;
        }
    }
    Ok(out)
}
