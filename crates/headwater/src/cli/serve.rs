//! `headwater serve`: opens the data directory, listens, and stops cleanly on SIGTERM or Ctrl-C.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use anyhow::{Context, Result, anyhow};
use axum::serve::ListenerExt;
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
};
use tracing::{info, warn};
use tracing_subscriber::EnvFilter;

use crate::{
    demo,
    wire::{self, Wired},
};

/// How long requests that are under way may take to finish once the server is told to stop.
const SHUTDOWN_LIMIT: Duration = Duration::from_secs(30);

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Address and port to listen on; port 0 takes a free one
    #[arg(long, default_value = "127.0.0.1:8086", env = "HEADWATER_BIND")]
    bind: SocketAddr,
    /// Where everything is kept; made if it does not exist
    #[arg(long, default_value = "./data", env = "HEADWATER_DATA_DIR")]
    data_dir: PathBuf,
    /// How databases map to buckets: `cloud` maps on write, `oss` has virtual mappings
    #[arg(long, default_value = "cloud", env = "HEADWATER_PROFILE", value_parser = ["cloud", "oss"])]
    profile: String,
    /// Set up an empty data directory with a demo organization and print its token
    #[arg(long)]
    demo: bool,
    /// Bytes of points in memory at which they are written to files
    #[arg(long, env = "HEADWATER_MEMTABLE_FLUSH_BYTES")]
    memtable_flush_bytes: Option<usize>,
}

pub(crate) fn run(args: Args) -> Result<()> {
    let filter =
        EnvFilter::try_from_env("HEADWATER_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .init();
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("cannot start the runtime")?
        .block_on(serve(args))
}

async fn serve(args: Args) -> Result<()> {
    let wired = wire::open(&wire::Settings {
        data_dir: args.data_dir,
        profile: args.profile,
        memtable_flush_bytes: args.memtable_flush_bytes,
    })
    .await?;
    let docker = demo::docker_setup(&wired.catalog).await?;
    let listener = TcpListener::bind(args.bind)
        .await
        .with_context(|| format!("cannot listen on {}", args.bind))?;
    let address = listener.local_addr()?;
    if args.demo {
        demo::set_up(&wired.catalog, address).await?;
    }
    if !docker && wired.catalog.state().is_setup_allowed() {
        warn!(
            "not set up yet: POST /api/v2/setup, run `headwater setup --host http://{address} \
             --username … --org … --bucket …`, or start with DOCKER_INFLUXDB_INIT_MODE=setup and \
             its companions"
        );
    }
    info!("listening on http://{address}");
    serve_until_told(listener, wired).await
}

async fn serve_until_told(listener: TcpListener, wired: Wired) -> Result<()> {
    let listener = listener.tap_io(|stream| {
        if let Err(error) = stream.set_nodelay(true) {
            warn!("cannot disable Nagle's algorithm for a connection: {error}");
        }
    });
    let (told, mut wait) = tokio::sync::watch::channel(false);
    let mut on_told = wait.clone();
    let serving = axum::serve(listener, wired.routes).with_graceful_shutdown(async move {
        let _ = on_told.wait_for(|told| *told).await;
    });
    let stopping = async {
        let _ = wait.wait_for(|told| *told).await;
        tokio::time::sleep(SHUTDOWN_LIMIT).await;
    };
    tokio::spawn(async move {
        let signal = stop_signal().await;
        info!("stopping on {signal}");
        let _ = told.send(true);
    });
    tokio::select! {
        served = serving.into_future() => served.context("the server failed")?,
        () = stopping => warn!("requests were still running after {SHUTDOWN_LIMIT:?}"),
    }
    wired
        .engine
        .close()
        .await
        .map_err(|error| anyhow!("closing the storage engine: {error}"))?;
    info!("stopped");
    Ok(())
}

async fn stop_signal() -> &'static str {
    let mut terminate = signal(SignalKind::terminate()).expect("signals can be listened to");
    tokio::select! {
        _ = terminate.recv() => "SIGTERM",
        _ = tokio::signal::ctrl_c() => "Ctrl-C",
    }
}
