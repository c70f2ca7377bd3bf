"""The host's own packet filter: nftables or ufw."""
