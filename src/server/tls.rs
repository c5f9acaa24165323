//! Certificates of doors: from files, read again when asked to, or made for development.
//!
//! # Source
//! RFC 8446 and RFC 5246, by `rustls`: TLS 1.3 and 1.2, nothing earlier.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::RwLock;
use rustls::ServerConfig;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::TlsAcceptor;

use crate::limits;
use crate::server::address::ListenError;
use crate::server::stream::{Plain, Socket};

/// The files of [`Tls::development`].
const CERTIFICATE_FILE: &str = "larder-dev-cert.pem";
const KEY_FILE: &str = "larder-dev-key.pem";

/// Names that a certificate for development is for.
const OWN_NAMES: [&str; 3] = ["localhost", "127.0.0.1", "::1"];

/// The certificate of a door and its key. Clones are the same: what one reads again, all have.
///
/// Doors speak TLS 1.2 and 1.3. Clients are not asked for certificates.
///
/// # Examples
/// ```
/// use larder::server::Tls;
/// let tls = Tls::self_signed()?;
/// assert!(tls.certificate_pem().starts_with("-----BEGIN CERTIFICATE-----"));
/// # Ok::<(), larder::server::ListenError>(())
/// ```
#[derive(Clone)]
pub struct Tls(Arc<Shared>);

struct Shared {
    source: Source,
    current: RwLock<Current>,
}

enum Source {
    Files { certificate: PathBuf, key: PathBuf },
    Memory,
}

/// What connections that begin now get.
#[derive(Clone)]
struct Current {
    config: Arc<ServerConfig>,
    certificate_pem: Arc<str>,
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0.source {
            Source::Files { certificate, key } => {
                f.debug_struct("Tls").field("certificate", certificate).field("key", key).finish()
            }
            Source::Memory => f.write_str("Tls(self-signed)"),
        }
    }
}

impl Tls {
    /// Reads a chain of certificates, the door's own first, and the key of the first, from files of PEM.
    ///
    /// # Errors
    /// [`ListenError::Certificate`] when a file cannot be read or does not have what it should, or when the key is not that of
    /// the certificate.
    ///
    /// # Examples
    /// ```
    /// use larder::server::Tls;
    /// # let dir = tempfile::tempdir().unwrap();
    /// # Tls::development(dir.path())?;
    /// let tls = Tls::from_files(dir.path().join("larder-dev-cert.pem"), dir.path().join("larder-dev-key.pem"))?;
    /// assert!(Tls::from_files("no.pem", "file.pem").is_err());
    /// # Ok::<(), larder::server::ListenError>(())
    /// ```
    pub fn from_files(certificate: impl Into<PathBuf>, key: impl Into<PathBuf>) -> Result<Self, ListenError> {
        let (certificate, key) = (certificate.into(), key.into());
        let current = read(&certificate, &key)?;
        Ok(Self::new(Source::Files { certificate, key }, current))
    }

    /// Makes a certificate for `localhost`, `127.0.0.1` and `::1` that nobody else has signed. It is in memory only, and differs
    /// from run to run: clients trust it by its [PEM](Tls::certificate_pem).
    ///
    /// # Errors
    /// [`ListenError::Certificate`] when the system gives no random bytes.
    ///
    /// # Examples
    /// ```
    /// let tls = larder::server::Tls::self_signed()?;
    /// # Ok::<(), larder::server::ListenError>(())
    /// ```
    pub fn self_signed() -> Result<Self, ListenError> {
        let (certificate, key) = make()?;
        let place = Path::new("the certificate made for development");
        let current = configure((&certificate, place), (&key, place))?;
        Ok(Self::new(Source::Memory, current))
    }

    /// Uses the certificate for development that is in `directory`, and makes it before if there is none: as
    /// `larder-dev-cert.pem`, which clients are given to trust, and `larder-dev-key.pem`, for its owner alone.
    ///
    /// # Errors
    /// [`ListenError::Certificate`] when the files cannot be written or read.
    ///
    /// # Examples
    /// ```
    /// use larder::server::Tls;
    /// # let dir = tempfile::tempdir().unwrap();
    /// let made = Tls::development(dir.path())?;
    /// assert_eq!(Tls::development(dir.path())?.certificate_pem(), made.certificate_pem());
    /// # Ok::<(), larder::server::ListenError>(())
    /// ```
    pub fn development(directory: impl AsRef<Path>) -> Result<Self, ListenError> {
        let directory = directory.as_ref();
        let (certificate, key) = (directory.join(CERTIFICATE_FILE), directory.join(KEY_FILE));
        if !certificate.exists() && !key.exists() {
            let (certificate_pem, key_pem) = make()?;
            std::fs::create_dir_all(directory).map_err(|error| unusable(directory, &error))?;
            write_secret(&key, &key_pem).map_err(|error| unusable(&key, &error))?;
            std::fs::write(&certificate, certificate_pem).map_err(|error| unusable(&certificate, &error))?;
        }
        Self::from_files(certificate, key)
    }

    fn new(source: Source, current: Current) -> Self {
        Self(Arc::new(Shared { source, current: RwLock::new(current) }))
    }

    /// Reads the files again, for connections that begin from now on; those that are open keep what they have. A certificate that
    /// was made in memory stays as it is.
    ///
    /// # Errors
    /// As [`Tls::from_files`]; what was there before goes on being used.
    ///
    /// # Examples
    /// ```
    /// # let tls = larder::server::Tls::self_signed()?;
    /// tls.reload()?;
    /// # Ok::<(), larder::server::ListenError>(())
    /// ```
    pub fn reload(&self) -> Result<(), ListenError> {
        if let Source::Files { certificate, key } = &self.0.source {
            let current = read(certificate, key)?;
            *self.0.current.write() = current;
        }
        Ok(())
    }

    /// Returns the chain of certificates as PEM, without the key.
    ///
    /// # Examples
    /// ```
    /// # let tls = larder::server::Tls::self_signed()?;
    /// assert!(!tls.certificate_pem().contains("PRIVATE KEY"));
    /// # Ok::<(), larder::server::ListenError>(())
    /// ```
    #[must_use]
    pub fn certificate_pem(&self) -> String {
        self.0.current.read().certificate_pem.to_string()
    }

    /// Begins TLS with a client that has connected.
    ///
    /// # Errors
    /// What the client did wrong, or that it took longer than [`limits::TLS_HANDSHAKE_MS_MAX`].
    pub(crate) async fn accept(&self, plain: Plain) -> io::Result<Socket> {
        let acceptor = TlsAcceptor::from(Arc::clone(&self.0.current.read().config));
        let time_max = Duration::from_millis(limits::TLS_HANDSHAKE_MS_MAX);
        let accepted = tokio::time::timeout(time_max, acceptor.accept(plain)).await;
        Ok(accepted.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??.into())
    }
}

fn unusable(path: &Path, error: &dyn fmt::Display) -> ListenError {
    ListenError::Certificate { reason: format!("{}: {error}", path.display()) }
}

fn read(certificate: &Path, key: &Path) -> Result<Current, ListenError> {
    let text = |path: &Path| std::fs::read_to_string(path).map_err(|error| unusable(path, &error));
    configure((&text(certificate)?, certificate), (&text(key)?, key))
}

/// Checks a certificate and its key, both as PEM with the path that they are from, and makes of them what a connection needs.
fn configure(
    (certificate_pem, certificate): (&str, &Path),
    (key_pem, key): (&str, &Path),
) -> Result<Current, ListenError> {
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(certificate_pem.as_bytes()).collect();
    let chain = chain.map_err(|error| unusable(certificate, &error))?;
    if chain.is_empty() {
        return Err(unusable(certificate, &"there is no certificate in the file: it has to be one of PEM"));
    }
    let secret = PrivateKeyDer::from_pem_slice(key_pem.as_bytes()).map_err(|error| match error {
        pem::Error::NoItemsFound => unusable(key, &"there is no private key in the file: it has to be one of PEM"),
        error => unusable(key, &error),
    })?;
    // Named, for another crate of the program may bring other cryptography.
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])
        .map_err(|error| unusable(certificate, &error))?;
    let config = builder.with_no_client_auth().with_single_cert(chain, secret).map_err(|error| match error {
        rustls::Error::InconsistentKeys(_) => {
            unusable(key, &format_args!("it is not the key of the certificate in {}", certificate.display()))
        }
        error => unusable(certificate, &error),
    })?;
    Ok(Current { config: Arc::new(config), certificate_pem: certificate_pem.into() })
}

/// Makes a certificate and its key, as PEM.
fn make() -> Result<(String, String), ListenError> {
    let made = rcgen::generate_simple_self_signed(OWN_NAMES.map(str::to_owned));
    let made = made.map_err(|error| ListenError::Certificate { reason: format!("none can be made: {error}") })?;
    Ok((made.cert.pem(), made.signing_key.serialize_pem()))
}

/// Writes a new file that only its owner can read.
fn write_secret(path: &Path, text: &str) -> io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    io::Write::write_all(&mut options.open(path)?, text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_of_another_certificate_is_refused() {
        let ((certificate, own), (_, key)) = (make().unwrap(), make().unwrap());
        let configure = |certificate, key| configure((certificate, Path::new("a.pem")), (key, Path::new("a.key")));
        for (certificate, key, reason) in [
            (&*certificate, &*key, "a.key: it is not the key of the certificate in a.pem"),
            ("", &key, "a.pem: there is no certificate in the file: it has to be one of PEM"),
            (&certificate, "", "a.key: there is no private key in the file: it has to be one of PEM"),
        ] {
            let refused = configure(certificate, key).err();
            assert_eq!(refused, Some(ListenError::Certificate { reason: reason.to_owned() }));
        }
        assert!(configure(&certificate, &own).is_ok());
    }

    #[test]
    fn files_are_read_again_and_kept_when_they_are_broken() {
        let dir = tempfile::tempdir().unwrap();
        let tls = Tls::development(dir.path()).unwrap();
        let (first, clone) = (tls.certificate_pem(), tls.clone());
        std::fs::write(dir.path().join(CERTIFICATE_FILE), "broken").unwrap();
        assert!(tls.reload().is_err());
        assert_eq!(tls.certificate_pem(), first);
        for file in [CERTIFICATE_FILE, KEY_FILE] {
            std::fs::remove_file(dir.path().join(file)).unwrap();
        }
        Tls::development(dir.path()).unwrap();
        tls.reload().unwrap();
        assert_ne!(clone.certificate_pem(), first);
    }

    #[cfg(unix)]
    #[test]
    fn the_key_for_development_is_its_owners_alone() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        Tls::development(dir.path().join("new")).unwrap();
        let key = std::fs::metadata(dir.path().join("new").join(KEY_FILE)).unwrap();
        assert_eq!(key.permissions().mode() & 0o777, 0o600);
    }
}
