//! The engine: the loop, the journal handshake, timers, the socket.
