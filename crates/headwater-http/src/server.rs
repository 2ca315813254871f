//! Connections: accepted up to a limit, plain or TLS, spoken to in HTTP/1.1 or HTTP/2 as the
//! client chooses (by ALPN, or by beginning with HTTP/2's preface), and finished gracefully.

mod tls;

use std::{net::SocketAddr, pin::pin, sync::Arc, time::Duration};

use axum::{Router, body::Body};
use hyper::{Request, body::Incoming, service::service_fn};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::{
        conn::auto::Builder,
        graceful::{GracefulShutdown, Watcher},
    },
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    sync::Semaphore,
};
use tower::ServiceExt;
use tracing::{debug, warn};

pub use self::tls::{Tls, TlsError};
use crate::Settings;

/// How long a TLS handshake may take.
const HANDSHAKE_LIMIT: Duration = Duration::from_secs(10);
/// The pause after the system could not give us a connection, as when files run out.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// Requests on one HTTP/2 connection at the same time.
const STREAMS_MAX: u32 = 250;
/// How often an HTTP/2 client that says nothing is asked whether it is there.
const PING_INTERVAL: Duration = Duration::from_secs(30);

/// The other end of the connection that a request came on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Peer(pub(crate) SocketAddr);

/// Serves `routes` to whoever connects, until `stop`; then accepts nobody, and resolves when the
/// requests under way are answered.
pub async fn serve(
    listener: TcpListener,
    routes: Router,
    tls: Option<Arc<Tls>>,
    settings: &Settings,
    stop: impl Future<Output = ()>,
) {
    let connection = Connection {
        builder: builder(settings),
        routes,
        tls,
    };
    let slots = Arc::new(Semaphore::new(settings.connections_max));
    let graceful = GracefulShutdown::new();
    let mut stop = pin!(stop);
    loop {
        let next = async {
            let slot = Arc::clone(&slots).acquire_owned().await;
            (slot.expect("never closed"), accept(&listener).await)
        };
        let (slot, (stream, peer)) = tokio::select! {
            next = next => next,
            () = &mut stop => break,
        };
        let (connection, watcher) = (connection.clone(), graceful.watcher());
        tokio::spawn(async move {
            connection.serve(stream, peer, watcher).await;
            drop(slot);
        });
    }
    drop(listener);
    graceful.shutdown().await;
}

async fn accept(listener: &TcpListener) -> (TcpStream, SocketAddr) {
    loop {
        match listener.accept().await {
            Ok(accepted) => return accepted,
            Err(error) => {
                warn!("cannot accept a connection: {error}");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

fn builder(settings: &Settings) -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    // Heads between the limit and this are refused by the edge, which can say why.
    let head_bytes = settings.header_bytes_max.saturating_mul(2);
    builder
        .http1()
        // As the reference spells them: some clients look for names letter by letter.
        .title_case_headers(true)
        .timer(TokioTimer::new())
        .header_read_timeout(settings.header_wait_max)
        .max_buf_size(head_bytes.max(64 << 10));
    builder
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(PING_INTERVAL)
        .max_concurrent_streams(STREAMS_MAX)
        .max_header_list_size(u32::try_from(head_bytes).unwrap_or(u32::MAX));
    builder
}

/// What every connection is served with.
#[derive(Clone)]
struct Connection {
    builder: Builder<TokioExecutor>,
    routes: Router,
    tls: Option<Arc<Tls>>,
}

impl Connection {
    async fn serve(self, stream: TcpStream, peer: SocketAddr, watcher: Watcher) {
        if let Err(error) = stream.set_nodelay(true) {
            warn!("cannot disable Nagle's algorithm for a connection: {error}");
        }
        let Some(tls) = &self.tls else {
            return self.speak(stream, peer, watcher).await;
        };
        let handshake = tls.acceptor().accept(stream);
        match tokio::time::timeout(HANDSHAKE_LIMIT, handshake).await {
            Ok(Ok(stream)) => self.speak(stream, peer, watcher).await,
            Ok(Err(error)) => debug!("no TLS with {peer}: {error}"),
            Err(_) => debug!("no TLS with {peer} within {HANDSHAKE_LIMIT:?}"),
        }
    }

    async fn speak<S>(&self, stream: S, peer: SocketAddr, watcher: Watcher)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let service = service_fn(|mut request: Request<Incoming>| {
            request.extensions_mut().insert(Peer(peer));
            self.routes.clone().oneshot(request.map(Body::new))
        });
        let connection = self.builder.serve_connection(TokioIo::new(stream), service);
        if let Err(error) = watcher.watch(connection).await {
            debug!("the connection with {peer} broke: {error}");
        }
    }
}
