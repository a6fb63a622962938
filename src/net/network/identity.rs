//! Who a coordinator and the members on a machine are, beyond one run: certificate, secret and member ids in a file that only
//! the user can read.

use std::io;
use std::path::{Path, PathBuf};

use rcgen::{CertificateParams, KeyPair};
use serde::{Deserialize, Serialize};

use crate::network::{Base64, Fingerprint, MemberId, Secret};
use crate::store::write_private;

/// Bytes of the file at most; ours has about two thousand.
const LONGEST: u64 = 64 * 1024;

/// The certificate, the secret, and by what the members on this machine name themselves.
#[derive(Clone, Debug)]
pub struct Identity {
    pub(super) certificate: Vec<u8>,
    /// PKCS #8.
    pub(super) key: Vec<u8>,
    pub(super) secret: Secret,
    /// This machine's user.
    pub user: MemberId,
    /// This machine's tracker.
    pub tracker: MemberId,
}

/// The file.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    certificate: Base64,
    key: Base64,
    secret: Base64,
    user: MemberId,
    tracker: MemberId,
}

/// An identity that cannot be read, made or kept.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// The file cannot be read or written.
    #[error("{}: {why}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// What the system says.
        why: io::Error,
    },
    /// The file holds none.
    #[error("{}: this is damaged; remove it to get a new certificate and a new join link", .0.display())]
    Damaged(PathBuf),
    /// The system gives no random numbers, or no certificate can be made of them.
    #[error("no certificate can be made: {0}")]
    Made(String),
}

impl Identity {
    /// The one kept in a folder, or a new one that is kept there from now on; a passing one without a folder.
    ///
    /// # Errors
    /// Where it can be neither read nor made and kept.
    pub fn of(folder: Option<&Path>) -> Result<Self, IdentityError> {
        let Some(folder) = folder else { return Self::new() };
        let path = folder.join("identity.json");
        let file = |why| IdentityError::File { path: path.clone(), why };
        match std::fs::metadata(&path) {
            Ok(found) if found.len() > LONGEST => return Err(IdentityError::Damaged(path)),
            Ok(_) => {
                let bytes = std::fs::read(&path).map_err(file)?;
                return Self::parse(&bytes).ok_or(IdentityError::Damaged(path));
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(file(error)),
        }
        let identity = Self::new()?;
        std::fs::create_dir_all(folder).map_err(file)?;
        write_private(&path, &identity.to_bytes()).map_err(file)?;
        Ok(identity)
    }

    /// A new one.
    ///
    /// # Errors
    /// Where the system gives no random numbers.
    pub fn new() -> Result<Self, IdentityError> {
        let made = |error: rcgen::Error| IdentityError::Made(error.to_string());
        let key = KeyPair::generate().map_err(made)?;
        // Nobody looks at the name: the whole certificate is compared.
        let params = CertificateParams::new(vec!["coordinator.fyris.invalid".to_owned()]).map_err(made)?;
        let certificate = params.self_signed(&key).map_err(made)?;
        Ok(Self {
            certificate: certificate.der().to_vec(),
            key: key.serialize_der(),
            secret: Secret(random()?),
            user: MemberId(random()?),
            tracker: MemberId(random()?),
        })
    }

    /// One of the trackers of this machine, 0 for the first.
    pub fn nth_tracker(&self, number: usize) -> MemberId {
        let MemberId(mut id) = self.tracker;
        id[15] = id[15].wrapping_add(number as u8);
        MemberId(id)
    }

    /// By what the certificate is known.
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of(&self.certificate)
    }

    fn parse(bytes: &[u8]) -> Option<Self> {
        let File { certificate, key, secret, user, tracker } = serde_json::from_slice(bytes).ok()?;
        let secret = Secret(secret.0.try_into().ok()?);
        Some(Self { certificate: certificate.0, key: key.0, secret, user, tracker })
    }

    fn to_bytes(&self) -> Vec<u8> {
        let file = File {
            certificate: Base64(self.certificate.clone()),
            key: Base64(self.key.clone()),
            secret: Base64(self.secret.0.to_vec()),
            user: self.user,
            tracker: self.tracker,
        };
        serde_json::to_vec_pretty(&file).unwrap_or_default()
    }
}

/// A secret that nobody can guess.
///
/// # Errors
/// Where the system gives no random numbers.
pub fn new_secret() -> Result<Secret, IdentityError> {
    Ok(Secret(random()?))
}

/// Random bytes from the system.
pub(super) fn random<const N: usize>() -> Result<[u8; N], IdentityError> {
    let mut bytes = [0; N];
    let provider = rustls::crypto::ring::default_provider();
    provider
        .secure_random
        .fill(&mut bytes)
        .map_err(|_| IdentityError::Made("the system gives no random numbers".to_owned()))?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identity_stays_the_same_and_damage_is_said() {
        let folder = tempfile::tempdir().expect("a folder");
        let place = folder.path().join("network");
        let first = Identity::of(Some(&place)).expect("made");
        let again = Identity::of(Some(&place)).expect("read");
        assert_eq!((first.fingerprint(), first.secret), (again.fingerprint(), again.secret));
        assert_eq!((first.user, first.tracker), (again.user, again.tracker));
        let other = Identity::of(None).expect("made");
        assert!(other.fingerprint() != first.fingerprint() && other.secret != first.secret);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = std::fs::metadata(place.join("identity.json")).expect("there").permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
        std::fs::write(place.join("identity.json"), b"{}").expect("written");
        assert!(matches!(Identity::of(Some(&place)), Err(IdentityError::Damaged(_))));
    }
}
