"""What runs the class and is not read in it: checks of exercises, quizzes, explorers."""
