//! The [Runtime API](https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html) for one process, on blocking sockets. The
//! time of a request is the time at which its header has been read.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};

use crate::endpoint::Endpoints;
use crate::subject::Subject;

/// The measurements of one process.
pub(crate) struct Measured {
    /// From the start of the process to its first request for an event.
    pub(crate) ready: Duration,
    /// The processor time of the main thread until then. Other programs on the machine affect it little.
    pub(crate) ready_cpu: Duration,
    /// From the start of the process to its first response.
    pub(crate) responded: Duration,
    /// From the event to the response.
    pub(crate) handled: Duration,
    /// The peak memory until then, in KiB.
    pub(crate) peak_kib: u64,
}

pub(crate) struct RuntimeApi {
    address: String,
    requests: Receiver<Request>,
}

/// A request of the runtime, and the channel for the response.
struct Request {
    at: Instant,
    line: String,
    body: Vec<u8>,
    response: Sender<Vec<u8>>,
}

/// The maximum time until a request of the process.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);

impl RuntimeApi {
    pub(crate) fn start() -> anyhow::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        let address = listener.local_addr()?.to_string();
        let (sender, requests) = channel();
        thread::spawn(move || {
            for connection in listener.incoming().flatten() {
                let sender = sender.clone();
                // The process is killed after the measurement, so a broken connection is no error.
                thread::spawn(move || serve(&connection, &sender));
            }
        });
        Ok(Self { address, requests })
    }

    /// Starts the subject, sends it an event `idle` after it requested one, and kills it after its response. Consumes the
    /// Runtime API, so that a late request of this process is not taken for one of the next process.
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
                "the process did not request an event: {}: {}",
                next.line,
                String::from_utf8_lossy(&next.body)
            );
        }
        let ready_cpu = process.cpu()?;
        thread::sleep(idle);
        let sent_at = Instant::now();
        next.response.send(invocation(&event))?;

        let outcome = self.next_request(&mut process)?;
        if !outcome
            .line
            .starts_with("POST /2018-06-01/runtime/invocation/1/response ")
        {
            bail!(
                "the process did not respond: {}: {}",
                outcome.line,
                String::from_utf8_lossy(&outcome.body)
            );
        }
        if !subject.handled(&outcome.body) {
            bail!(
                "the function reported a failed record: {}",
                String::from_utf8_lossy(&outcome.body)
            );
        }
        Ok(Measured {
            ready: next.at - started,
            ready_cpu,
            responded: outcome.at - started,
            handled: outcome.at - sent_at,
            peak_kib: process.peak_kib()?,
        })
    }

    fn next_request(&self, process: &mut Process) -> anyhow::Result<Request> {
        let deadline = Instant::now() + REQUEST_TIMEOUT;
        loop {
            match self.requests.recv_timeout(Duration::from_millis(500)) {
                Ok(request) => return Ok(request),
                Err(RecvTimeoutError::Disconnected) => bail!("the Runtime API has ended"),
                Err(RecvTimeoutError::Timeout) => {
                    if let Some(status) = process.0.try_wait()? {
                        bail!("the process exited: {status}");
                    }
                    if Instant::now() > deadline {
                        bail!("no request from the process within {} s", REQUEST_TIMEOUT.as_secs());
                    }
                }
            }
        }
    }
}

/// A process that is killed when the measurement ends.
struct Process(Child);

impl Process {
    /// The processor time of the main thread: <https://docs.kernel.org/scheduler/sched-stats.html>.
    fn cpu(&self) -> anyhow::Result<Duration> {
        let line = std::fs::read_to_string(format!("/proc/{0}/task/{0}/schedstat", self.0.id()))?;
        let running = line.split_whitespace().next().context("schedstat is empty")?;
        Ok(Duration::from_nanos(running.parse()?))
    }

    fn peak_kib(&self) -> anyhow::Result<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.0.id()))?;
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let peak = peak.and_then(|rest| rest.split_whitespace().next());
        peak.context("the status of the process has no VmHWM")?
            .parse()
            .context("VmHWM is not a number")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn invocation(event: &str) -> Vec<u8> {
    // The deadline is in the year 2100: no subject reads the remaining time.
    format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\
         Lambda-Runtime-Aws-Request-Id: 1\r\nLambda-Runtime-Deadline-Ms: 4102444800000\r\n\
         Lambda-Runtime-Invoked-Function-Arn: arn:aws:lambda:us-east-1:111122223333:function:measured\r\n\
         Lambda-Runtime-Trace-Id: Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Sampled=0\r\n\r\n{event}",
        event.len()
    )
    .into_bytes()
}

fn serve(connection: &TcpStream, requests: &Sender<Request>) -> Option<()> {
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
        let (response, responses) = channel();
        requests
            .send(Request {
                at,
                line,
                body,
                response,
            })
            .ok()?;
        let response = match is_next {
            true => responses.recv().ok()?,
            false => b"HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n".to_vec(),
        };
        (&mut &*connection).write_all(&response).ok()?;
    }
}
