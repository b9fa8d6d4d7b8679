"""Lists in the editor of a journey, as rows of a form: entries, exits, cases, conditions."""
