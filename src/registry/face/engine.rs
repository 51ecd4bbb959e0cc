//! The threads of the client, and how a caller waits for them.

use std::future::{Future, ready};
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use futures_util::FutureExt as _;
use futures_util::future::join_all;
use tokio::runtime::{Builder, Runtime};

use crate::process::Interrupt;
use crate::registry::access::core::Core;
use crate::registry::errors::error::{Cause, RegistryError};
use crate::registry::patience::budget::INTERRUPT_POLL;

const WORKERS: usize = 2;
/// How long an interrupted run closes its uploads.
const LAST_MOMENT: Duration = Duration::from_millis(1500);

/// The threads that move bytes while a caller waits.
#[derive(Debug)]
pub(in crate::registry) struct Engine(Option<Runtime>);

impl Engine {
    /// Starts the threads.
    pub(in crate::registry) fn start() -> Result<Self, RegistryError> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(WORKERS)
            .thread_name("registry")
            .enable_all()
            .build();
        match runtime {
            Ok(runtime) => Ok(Self(Some(runtime))),
            Err(error) => Err(RegistryError::Setup {
                source: Cause(error.to_string()),
            }),
        }
    }

    /// Does `work`, unless `interrupt` is raised first.
    pub(in crate::registry) fn run<T>(
        &self,
        interrupt: &Interrupt,
        work: impl Future<Output = Result<T, RegistryError>>,
    ) -> Result<T, RegistryError> {
        let done = self.wait_for(work, || interrupt.received().is_some());
        done.unwrap_or(Err(RegistryError::Interrupted))
    }

    /// Closes the uploads that are open or being opened, as far as that can be done in a moment: registries drop
    /// abandoned ones by themselves, after a week.
    pub(in crate::registry) fn close(&self, core: &Core) {
        let (open, opening) = (
            core.transport.sessions.take(),
            core.transport.abandoned.take(),
        );
        if open.is_empty() && opening.is_empty() {
            return;
        }
        let transport = &core.transport;
        let open = open.into_iter().map(|upload| ready(Some(upload)).boxed());
        let opening = opening.into_iter().map(|opening| opening.upload().boxed());
        let closing = open.chain(opening).map(|upload| async move {
            if let Some(upload) = upload.await {
                upload.close(transport).await;
            }
        });
        let end = Instant::now() + LAST_MOMENT;
        self.wait_for(join_all(closing), || Instant::now() >= end);
    }

    /// Waits for `work` until it is `over`, which this thread finds out by its own clock: a server that never
    /// stops to send keeps the threads that move bytes busy, and with them the timers that they serve.
    fn wait_for<T>(&self, work: impl Future<Output = T>, over: impl Fn() -> bool) -> Option<T> {
        let runtime = self.0.as_ref()?;
        let _entered = runtime.enter();
        let waker = Waker::from(Arc::new(Waiting(thread::current())));
        let mut context = Context::from_waker(&waker);
        let mut work = pin!(work);
        while !over() {
            if let Poll::Ready(done) = work.as_mut().poll(&mut context) {
                return Some(done);
            }
            thread::park_timeout(INTERRUPT_POLL);
        }
        None
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        // A name lookup that hangs must not keep an interrupted run alive.
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

/// A thread that waits.
struct Waiting(Thread);

impl Wake for Waiting {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}
