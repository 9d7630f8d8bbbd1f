"""What happens and when: settings, files, clock, network, command line."""
