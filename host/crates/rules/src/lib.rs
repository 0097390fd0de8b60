//! Runs admins' rules: rhai scripts, values in, decisions out.
