"""HTTP: the workspaces served, the door that guards every route, the JSON API by station."""
