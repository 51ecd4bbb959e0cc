//! What an executable needs around it: libraries, certificates, users.
