//! Problems of keys.

/// Reason why the key of a key pair cannot be used: what was found, and what to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyProblem {
    /// A certificate, whose dates and issuer would not be checked.
    #[error(
        "it is a certificate, which is not validated here: \
         give its public key, from `openssl x509 -in cert.pem -pubkey -noout`"
    )]
    Certificate,
    /// An encrypted private key, in PKCS#8 or in the legacy form (`Proc-Type: 4,ENCRYPTED`).
    #[error(
        "it is an encrypted private key: \
         decrypt it with `openssl pkey -in key.pem -out plain.pem`"
    )]
    Encrypted,
    /// An EC private key in SEC1.
    #[error(
        "it is an EC private key in SEC1 form: \
         convert it to PKCS#8 with `openssl pkcs8 -topk8 -nocrypt -in key.pem -out pkcs8.pem`"
    )]
    Sec1,
    /// A key in a format of SSH.
    #[error(
        "it is a key in SSH format: convert a private one with `ssh-keygen -p -m PKCS8 -f key`, \
         a public one with `ssh-keygen -e -m PKCS8 -f key.pub`"
    )]
    OpenSsh,
    /// A JSON Web Key.
    #[error("it is a JWK: convert it to PEM, PKCS#8 if it is private, SPKI if it is public")]
    Jwk,
    /// A public key where a private one is needed.
    #[error("it is a public key, which cannot sign: give the private key")]
    Public,
    /// A private key where a public one is enough.
    #[error(
        "it is a private key, and only the public one is needed: \
         give the output of `openssl pkey -in key.pem -pubout`"
    )]
    Private,
    /// An RSA key that is too short or too long.
    #[error(
        "it is an RSA key of {0} bits: make one with \
         `openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:3072`"
    )]
    RsaSize(usize),
    /// PEM text with more than one block.
    #[error("the PEM text has {0} blocks: give only the block of the key")]
    Blocks(usize),
    /// A PEM block with a label that is not that of a key.
    #[error("the PEM block is not a key: its label must be PRIVATE KEY or PUBLIC KEY")]
    Label,
    /// A PEM block without an end, with another label at the end, or with damaged base64 or DER.
    #[error("the PEM block is damaged: copy it again, from `-----BEGIN` to `-----END …-----`")]
    Damaged,
    /// Text in UTF-16.
    #[error("it is text in UTF-16: save it as UTF-8")]
    Utf16,
    /// Text without a PEM block.
    #[error("there is no PEM block in it: give the text of a PEM file, or DER bytes to `Key::der`")]
    NoPem,
    /// Bytes that are not a key in DER.
    #[error("it is not a key in DER: give the bytes of a DER file, or PEM text to `Key::pem`")]
    NoDer,
    /// A key of another kind or curve, or one whose numbers are not valid.
    #[error("it is a key of another kind or curve, or not a valid one: make a key of that kind")]
    Invalid,
}
