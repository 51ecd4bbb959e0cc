//! Raw layers of configuration, and the validated `Config` of each service.
