"""One program trains on a table and another one predicts:  churn.py CHURN CHURN_PREDICT"""

import csv
import pathlib
import subprocess
import sys
import tempfile


def main():
    train, predict = sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        early = subprocess.run([predict, folder], capture_output=True, text=True)
        if early.returncode != 1 or "schema.json" not in early.stderr:
            sys.exit(f"without a model: {early}")
        print(subprocess.run([train, folder], check=True, capture_output=True, text=True).stdout)
        rows = list(csv.reader((folder / "next_week.csv").open(encoding="utf-8")))
        turned = [list(reversed(row)) for row in rows]  # the columns in another order
        with (folder / "next_week.csv").open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows(turned)
        subprocess.run([predict, folder], check=True)
        predictions = list(csv.DictReader((folder / "predictions.csv").open(encoding="utf-8")))
        if [each["customer"] for each in predictions] != [row[0] for row in rows[1:]]:
            sys.exit("not every customer has a prediction, in their order")
        if not all(0 < float(each["probability"]) < 1 for each in predictions):
            sys.exit("there are probabilities outside of (0, 1)")
        # Who pays more leaves more often.
        paying = [(float(row[4]), float(each["probability"])) for row, each in zip(rows[1:], predictions) if row[4]]
        high = [p for amount, p in paying if amount > 60]
        low = [p for amount, p in paying if amount < 40]
        if sum(high) / len(high) < sum(low) / len(low) + 0.2:
            sys.exit("what a customer pays makes no difference")


if __name__ == "__main__":
    main()
