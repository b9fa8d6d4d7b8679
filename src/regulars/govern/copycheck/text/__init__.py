"""How copy is read: one spelling for every way of writing a word, mapped back exactly."""
