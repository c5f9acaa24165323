//! The glob patterns of channels and keys: `*`, `?`, `[a-z]`, `[^a]`, backslash escape (SEM: KV-STR-5, KV-PUB-2).
