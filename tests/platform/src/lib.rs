//! Has no code of its own: its tests drive a whole server in process with random histories and compare it with a model.
