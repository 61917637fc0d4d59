"""A network in scikit-learn's pipeline: its size is searched for, and the test rows are scored once.

python examples/sklearn_pipeline.py
"""

from sklearn.datasets import load_digits
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from wengert.sklearn import Autoencoder, MLPClassifier

x, y = load_digits(return_X_y=True)
x, x_test, y, y_test = train_test_split(x, y, test_size=0.3, stratify=y, random_state=0)

network = MLPClassifier(early_stopping=True, learning_rate_init=0.01, random_state=0)
grid = {"mlpclassifier__hidden_layer_sizes": [(16,), (64,)], "mlpclassifier__dropout": [0.0, 0.2]}
search = GridSearchCV(make_pipeline(StandardScaler(), network), grid, cv=3).fit(x, y)
print(f"chosen: {search.best_params_}")
print(f"test accuracy: {search.score(x_test, y_test):.4f}")

encoder = Autoencoder((64,), code_size=8, learning_rate_init=0.01, early_stopping=True, random_state=0)
squeeze = make_pipeline(StandardScaler(), encoder).fit(x)
print(f"64 pixels as 8 numbers lose {-squeeze.score(x_test):.0%} of the variance")
