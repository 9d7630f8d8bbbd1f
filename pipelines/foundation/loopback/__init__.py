"""Pages on a port of this machine, for whoever was given their address and for nobody else."""
