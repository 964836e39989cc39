//! What every scenario begins with.

use anyhow::Result;
use channel_tests::program::Backend;
use tempfile::TempDir;

/// A database of its own, gone at the end.
pub(crate) struct World {
    /// Where a program keeps everything.
    pub(crate) backend: Backend,
    _folder: Option<TempDir>,
}

impl World {
    /// Over a database that the scenario looks after.
    pub(crate) const fn at(backend: Backend) -> Self {
        Self { backend, _folder: None }
    }

    /// Another, empty one of the same kind.
    pub(crate) async fn another(&self) -> Result<Self> {
        match self.backend {
            Backend::Sqlite(_) => sqlite(),
            Backend::Postgres(_) => Ok(postgres().await),
        }
    }
}

pub(crate) fn sqlite() -> Result<World> {
    let folder = tempfile::tempdir()?;
    Ok(World { backend: Backend::Sqlite(folder.path().join("data")), _folder: Some(folder) })
}

pub(crate) async fn postgres() -> World {
    let url = channel_store_postgres::testing::database().await;
    World { backend: Backend::Postgres(url), _folder: None }
}

/// Makes two tests of a scenario, one for each database.
macro_rules! on_both {
    ($($scenario:ident),+ $(,)?) => {
        $(mod $scenario {
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn on_sqlite() {
                super::$scenario(crate::world::sqlite().unwrap()).await.unwrap();
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn on_postgres() {
                super::$scenario(crate::world::postgres().await).await.unwrap();
            }
        })+
    };
}
pub(crate) use on_both;
