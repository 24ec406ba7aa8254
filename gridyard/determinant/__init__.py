"""`gridyard determinant`: figures from outside that statements are made from."""
