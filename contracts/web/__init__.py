"""What the pages of the gateway and of a site's agent share: files, style, guard, stream."""
