"""What users see while whoever knows the passwords is away."""
