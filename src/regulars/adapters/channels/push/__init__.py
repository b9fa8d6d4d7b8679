"""Push: to apps by FCM and JPush, to browsers by the web's own protocol."""
