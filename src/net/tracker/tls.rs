//! The certificate of HTTPS, which may be renewed while the tracker runs.

use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::net::TcpStream;
use tokio_rustls::{Accept, TlsAcceptor};

use crate::tracker::Config;

/// A certificate with its key, as handshakes need it.
pub(super) struct Certificate(RwLock<TlsAcceptor>);

impl std::fmt::Debug for Certificate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Certificate")
    }
}

/// A certificate that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    /// A file cannot be read, or holds nothing of what it should.
    #[error("{path}: {why}")]
    File {
        /// Which.
        path: PathBuf,
        /// What is wrong.
        why: rustls::pki_types::pem::Error,
    },
    /// Certificate and key do not go together, or are of a kind that is not known.
    #[error("the certificate cannot be used: {0}")]
    Unusable(#[from] rustls::Error),
}

impl Certificate {
    /// The certificate that a configuration names, where it answers over HTTPS.
    pub(super) fn of(config: &Config) -> Result<Option<Self>, CertificateError> {
        Ok(acceptor(config)?.map(|acceptor| Self(RwLock::new(acceptor))))
    }

    /// Uses the one that a configuration names now, for connections that are yet to come.
    pub(super) fn reload(&self, config: &Config) -> Result<(), CertificateError> {
        if let Some(acceptor) = acceptor(config)? {
            *self.0.write().unwrap_or_else(PoisonError::into_inner) = acceptor;
        }
        Ok(())
    }

    /// Begins a handshake.
    pub(super) fn accept(&self, stream: TcpStream) -> Accept<TcpStream> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).accept(stream)
    }
}

fn acceptor(config: &Config) -> Result<Option<TlsAcceptor>, CertificateError> {
    let (false, Some(chain), Some(key)) = (config.https.is_empty(), &config.tls_certificate, &config.tls_key)
    else {
        return Ok(None);
    };
    let file = |path: &Path| {
        let path = path.to_owned();
        move |why| CertificateError::File { path, why }
    };
    let chain: Vec<_> =
        CertificateDer::pem_file_iter(chain).and_then(Iterator::collect).map_err(file(chain))?;
    let key = PrivateKeyDer::from_pem_file(key).map_err(file(key))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let tls = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, key)?;
    Ok(Some(TlsAcceptor::from(Arc::new(tls))))
}
