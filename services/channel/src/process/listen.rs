//! Taking ports, and the words when they are taken.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use anyhow::{Context, anyhow};
use tokio::net::TcpListener;

/// Binds the address that `key` of the configuration names.
pub(crate) async fn bind(key: &str, address: SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address).await.map_err(|error| {
        let what = match error.kind() {
            io::ErrorKind::AddrInUse => format!(
                "port {} of {} is taken by another program; end that one, or choose another port with \
                 `{key}`, such as `--set {key}={}:{}`",
                address.port(),
                address.ip(),
                address.ip(),
                another(address.port()),
            ),
            _ => format!("cannot listen on {address}, which `{key}` names: {error}"),
        };
        anyhow!(what)
    })
}

/// A port nearby to propose.
const fn another(port: u16) -> u16 {
    match port.checked_add(1) {
        Some(port) => port,
        None => 8081,
    }
}

/// Where a program on this machine reaches a listener.
pub(crate) fn reachable(listener: &TcpListener) -> anyhow::Result<SocketAddr> {
    let address = listener.local_addr().context("a listener has no address")?;
    Ok(reachable_address(address))
}

/// The same for an address: "every address" is no address to call.
pub(crate) fn reachable_address(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_taken_port_is_named_with_the_key_that_moves_it() {
        let taken = bind("gateway.listen", ([127, 0, 0, 1], 0).into()).await.unwrap();
        let address = taken.local_addr().unwrap();
        let error = bind("gateway.listen", address).await.unwrap_err().to_string();
        assert!(error.contains(&format!("port {}", address.port())), "{error}");
        assert!(error.contains("--set gateway.listen="), "{error}");
    }

    #[test]
    fn an_address_that_means_all_is_called_on_loopback() {
        let called = |text: &str| reachable_address(text.parse().unwrap()).to_string();
        assert_eq!(called("0.0.0.0:7402"), "127.0.0.1:7402");
        assert_eq!(called("[::]:7402"), "[::1]:7402");
        assert_eq!(called("10.0.0.1:7402"), "10.0.0.1:7402");
    }
}
