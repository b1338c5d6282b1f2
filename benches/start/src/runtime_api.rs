//! The [Runtime API](https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html) for one process at a time, on blocking
//! sockets: the measured moments are when a request's head has been read.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};

use crate::endpoint::Endpoints;
use crate::subject::Subject;

/// What one process took.
pub(crate) struct Measured {
    /// From the start of the process to its first request for work.
    pub(crate) ready: Duration,
    /// The processor time that its main thread had used by then, which other programs on the machine change little.
    pub(crate) ready_cpu: Duration,
    /// From the start of the process to the answer to its first event.
    pub(crate) answered: Duration,
    /// From handing out the event to the answer.
    pub(crate) handled: Duration,
    /// The most memory it had at that time, in KiB.
    pub(crate) peak_kib: u64,
}

pub(crate) struct RuntimeApi {
    address: String,
    requests: Receiver<Request>,
}

/// A request of the runtime, and the connection that waits for the answer.
struct Request {
    at: Instant,
    line: String,
    body: Vec<u8>,
    answer: Sender<Vec<u8>>,
}

/// Longer than any process takes that is going to answer at all.
const PATIENCE: Duration = Duration::from_secs(30);

impl RuntimeApi {
    pub(crate) fn start() -> anyhow::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        let address = listener.local_addr()?.to_string();
        let (sender, requests) = channel();
        thread::spawn(move || {
            for connection in listener.incoming().flatten() {
                let sender = sender.clone();
                // A killed process breaks its connections: nothing to report.
                thread::spawn(move || converse(&connection, &sender));
            }
        });
        Ok(Self { address, requests })
    }

    /// Starts the subject, gives it an event `idle` after it asked for one, and ends it when it has answered. Only once:
    /// what a process still asks when it is ended must not be taken for the next one's.
    pub(crate) fn measure(
        self,
        subject: &Subject,
        event: String,
        endpoints: &Endpoints,
        table: Option<&str>,
        idle: Duration,
    ) -> anyhow::Result<Measured> {
        let mut command = subject.command(&self.address, table.unwrap_or(&endpoints.table), endpoints);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let started = Instant::now();
        let mut process = Process(command.spawn()?);

        let next = self.next_request(&mut process)?;
        if !next.line.starts_with("GET /2018-06-01/runtime/invocation/next ") {
            bail!(
                "instead of asking for work: {}: {}",
                next.line,
                String::from_utf8_lossy(&next.body)
            );
        }
        let ready_cpu = process.cpu()?;
        thread::sleep(idle);
        let handed_out = Instant::now();
        next.answer.send(invocation(&event))?;

        let outcome = self.next_request(&mut process)?;
        if !outcome
            .line
            .starts_with("POST /2018-06-01/runtime/invocation/1/response ")
        {
            bail!("{}: {}", outcome.line, String::from_utf8_lossy(&outcome.body));
        }
        if !subject.took(&outcome.body) {
            bail!("the event failed: {}", String::from_utf8_lossy(&outcome.body));
        }
        Ok(Measured {
            ready: next.at - started,
            ready_cpu,
            answered: outcome.at - started,
            handled: outcome.at - handed_out,
            peak_kib: process.peak_kib()?,
        })
    }

    fn next_request(&self, process: &mut Process) -> anyhow::Result<Request> {
        let give_up = Instant::now() + PATIENCE;
        loop {
            match self.requests.recv_timeout(Duration::from_millis(500)) {
                Ok(request) => return Ok(request),
                Err(RecvTimeoutError::Disconnected) => bail!("the Runtime API has ended"),
                Err(RecvTimeoutError::Timeout) => {
                    if let Some(status) = process.0.try_wait()? {
                        bail!("the process ended by itself: {status}");
                    }
                    if Instant::now() > give_up {
                        bail!("no request from the process within {} s", PATIENCE.as_secs());
                    }
                }
            }
        }
    }
}

/// A process that does not outlive its measurement.
struct Process(Child);

impl Process {
    /// Of its main thread: <https://docs.kernel.org/scheduler/sched-stats.html>.
    fn cpu(&self) -> anyhow::Result<Duration> {
        let line = std::fs::read_to_string(format!("/proc/{0}/task/{0}/schedstat", self.0.id()))?;
        let running = line.split_whitespace().next().context("an empty schedstat")?;
        Ok(Duration::from_nanos(running.parse()?))
    }

    fn peak_kib(&self) -> anyhow::Result<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.0.id()))?;
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let peak = peak.and_then(|rest| rest.split_whitespace().next());
        peak.context("no VmHWM in the process's status")?
            .parse()
            .context("VmHWM")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn invocation(event: &str) -> Vec<u8> {
    // The year 2100: no subject looks at the time that is left.
    format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\
         Lambda-Runtime-Aws-Request-Id: 1\r\nLambda-Runtime-Deadline-Ms: 4102444800000\r\n\
         Lambda-Runtime-Invoked-Function-Arn: arn:aws:lambda:us-east-1:111122223333:function:measured\r\n\
         Lambda-Runtime-Trace-Id: Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Sampled=0\r\n\r\n{event}",
        event.len()
    )
    .into_bytes()
}

fn converse(connection: &TcpStream, requests: &Sender<Request>) -> Option<()> {
    connection.set_nodelay(true).ok()?;
    let mut reader = BufReader::new(connection);
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok().filter(|bytes| *bytes > 0)?;
        let mut length = 0;
        loop {
            let mut header = String::new();
            reader.read_line(&mut header).ok().filter(|bytes| *bytes > 0)?;
            let header = header.trim().to_ascii_lowercase();
            if header.is_empty() {
                break;
            }
            if let Some(value) = header.strip_prefix("content-length:") {
                length = value.trim().parse().ok()?;
            }
        }
        let at = Instant::now();
        let mut body = vec![0; length];
        reader.read_exact(&mut body).ok()?;
        let is_next = line.starts_with("GET ");
        let (answer, answers) = channel();
        requests.send(Request { at, line, body, answer }).ok()?;
        let answer = match is_next {
            true => answers.recv().ok()?,
            false => b"HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n".to_vec(),
        };
        (&mut &*connection).write_all(&answer).ok()?;
    }
}
