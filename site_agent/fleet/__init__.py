"""The fleet's systems on the other end: dispatchers' programs, files, telematics, webhooks."""
