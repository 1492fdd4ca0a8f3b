//! As much of HTTP/1.1 as the tests' proxy and control endpoints need: one exchange for each connection.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpStream};

/// A request as it arrived.
pub struct Request {
    /// Request line and headers, each ended by `\r\n`, without the empty line.
    pub head: String,
    pub body: Vec<u8>,
}

impl Request {
    /// Reads one; `None` when the client closed instead.
    pub fn read(stream: &TcpStream) -> io::Result<Option<Self>> {
        let mut reader = BufReader::new(stream);
        let mut head = String::new();
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line)? == 0 {
                return Ok(None);
            }
            if line.trim().is_empty() {
                break;
            }
            head.push_str(&line);
        }
        let mut request = Self { head, body: Vec::new() };
        if request.header("expect").is_some() {
            let mut writer = stream;
            writer.write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
        }
        if request.header("transfer-encoding").is_some() {
            request.body = chunks(&mut reader)?;
        } else if let Some(length) = request.header("content-length") {
            request.body = vec![0; length.parse().map_err(io::Error::other)?];
            reader.read_exact(&mut request.body)?;
        }
        Ok(Some(request))
    }

    /// Method and target, such as `POST /2013-04-01/hostedzone/Z1/rrset/`.
    pub fn line(&self) -> &str {
        let line = self.head.lines().next().unwrap_or_default();
        line.rsplit_once(' ').map_or(line, |(line, _)| line)
    }

    /// A header's value; the name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().skip(1).find_map(|line| {
            let (found, value) = line.split_once(':')?;
            found.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }

    /// Sends it on and reads the whole answer.
    pub fn forward(&self, port: u16) -> io::Result<Vec<u8>> {
        let mut stream = TcpStream::connect(("127.0.0.1", port))?;
        let mut lines = self.head.lines();
        let mut head = format!("{}\r\n", lines.next().unwrap_or_default());
        let dropped = ["connection", "expect", "transfer-encoding", "content-length"];
        for line in lines {
            let name = line.split(':').next().unwrap_or_default().to_ascii_lowercase();
            if !dropped.contains(&name.as_str()) {
                head.push_str(&format!("{line}\r\n"));
            }
        }
        head.push_str(&format!("Connection: close\r\nContent-Length: {}\r\n\r\n", self.body.len()));
        stream.write_all(head.as_bytes())?;
        stream.write_all(&self.body)?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer)?;
        Ok(answer)
    }
}

fn chunks(reader: &mut impl BufRead) -> io::Result<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let mut size = String::new();
        reader.read_line(&mut size)?;
        let size = usize::from_str_radix(size.trim(), 16).map_err(io::Error::other)?;
        let mut chunk = vec![0; size + 2];
        reader.read_exact(&mut chunk)?;
        if size == 0 {
            return Ok(body);
        }
        body.extend_from_slice(&chunk[..size]);
    }
}

/// An answer, ready to be sent.
pub fn answer(status: u16, headers: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
    let mut text =
        format!("HTTP/1.1 {status} Fault\r\nConnection: close\r\nContent-Length: {}\r\n", body.len());
    for (name, value) in headers {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    text.push_str("\r\n");
    [text.as_bytes(), body].concat()
}

/// Sends an answer and ends the connection.
pub fn send(mut stream: &TcpStream, answer: &[u8]) {
    let _ = stream.write_all(answer);
    let _ = stream.shutdown(Shutdown::Both);
}

/// One call to a server on this host: status and body.
pub fn call(port: u16, method: &str, path: &str, body: &str) -> (u16, String) {
    let head = format!("{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n");
    let request = Request { head, body: body.as_bytes().to_vec() };
    let text = String::from_utf8(request.forward(port).unwrap()).unwrap();
    let status = text.split(' ').nth(1).unwrap().parse().unwrap();
    (status, text.split_once("\r\n\r\n").unwrap().1.to_owned())
}
