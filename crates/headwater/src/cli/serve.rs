//! `headwater serve`: opens the data directory, listens, and stops cleanly on SIGTERM or Ctrl-C.

use std::time::Duration;

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
    settings::{Flags, Layers, Settings},
    wire::{self, Wired},
};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    settings: Flags,
    /// Set up an empty data directory with a demo organization and print its token
    #[arg(long)]
    demo: bool,
}

pub(crate) fn run(args: Args) -> Result<()> {
    let settings = Layers::load(&args.settings, std::env::vars())?.settings;
    tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::try_new(&settings.log.filter)?)
        .with_writer(std::io::stderr)
        .init();
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("cannot start the runtime")?
        .block_on(serve(settings, args.demo))
}

async fn serve(settings: Settings, demo: bool) -> Result<()> {
    let wired = wire::open(&settings).await?;
    let docker = demo::docker_setup(&wired.catalog).await?;
    let bind = settings.server.bind;
    let listener = TcpListener::bind(bind)
        .await
        .with_context(|| format!("cannot listen on {bind}"))?;
    let address = listener.local_addr()?;
    if demo {
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
    serve_until_told(listener, wired, settings.server.shutdown_limit).await
}

async fn serve_until_told(listener: TcpListener, wired: Wired, limit: Duration) -> Result<()> {
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
        tokio::time::sleep(limit).await;
    };
    tokio::spawn(async move {
        let signal = stop_signal().await;
        info!("stopping on {signal}");
        let _ = told.send(true);
    });
    tokio::select! {
        served = serving.into_future() => served.context("the server failed")?,
        () = stopping => warn!("requests were still running after {limit:?}"),
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
