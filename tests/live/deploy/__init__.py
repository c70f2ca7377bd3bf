"""The deploy: first run, repair, rebuild, reboot, and what a run costs."""
