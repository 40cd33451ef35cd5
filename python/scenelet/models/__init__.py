"""Networks: from a recipe to a graph that can be counted, and to a Keras model that can be trained."""
