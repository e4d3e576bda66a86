package signonpage

import (
	"regexp"
	"testing"

	"golang.org/x/text/language"
)

// strange are words that nobody says, by language, each beside what people say.
var strange = map[language.Tag]map[string]string{
	language.English: {
		"telephone": "phone", "program on|your program": "authenticator app", "old password": "current password",
		"[Ss]how your passkey": "use", "username": "user name", "[Ee]mail|E-Mail": "e-mail",
	},
	language.German: {
		"Programm": "Authenticator-App", "Geheimnis": "Schlüssel", "altes|jetziges|Jetziges": "aktuelles",
		"Codes zur Wiederherstellung": "Wiederherstellungscodes", "machen$": "erstellen", "Email": "E-Mail",
		"als jemand anders|Als jemand anders an": "mit einem anderen Konto",
	},
	language.French: {
		"récupération": "de secours", "Pas de connexion": "Connexion impossible", "programme": "application d’authentification",
		"ce secret|Le secret": "clé", "là-bas": "chez ce fournisseur", "Y mettre fin": "Déconnecter", "Fair?e|Faites": "Générer",
		"ancien mot": "actuel", "encore une fois": "Confirmez", "sous %s": "sous la référence", "quelqu’un d’autre": "un autre compte",
		"Donnez": "Utilisez", "^(Changez|Configurez) ": "the infinitive, of what is a heading, a link and a button",
	},
	language.Spanish: {
		"tique": "ticket", "no es correcto": "no son correctos", "[Mm]ostrar su clave|mostrado ninguna": "usar",
		"programa": "aplicación de autenticación", "secreto": "clave", "Cerrar allí": "Cerrar esa sesión", "todos los demás sitios": "dispositivos",
		"están bloqueadas": "Bloq Mayús", "otra vez$": "Confirme", "anterior": "actual", "motivo en %s": "con la referencia",
		"Sin sesión": "No se pudo iniciar sesión", "Continuar a ": "Ir a", "^(Cambie su|Configure) ": "the infinitive",
	},
}

// TestPeopleReadTheWordsThatTheySay: one word for one thing, and one that people use, in every sentence of the catalogue.
func TestPeopleReadTheWordsThatTheySay(t *testing.T) {
	for tag, all := range strange {
		for pattern, better := range all {
			never := regexp.MustCompile(pattern)
			for english := range words[language.German] {
				text := say(tag, english)
				if never.MatchString(text) {
					t.Errorf("%s: %q: say %q", tag, text, better)
				}
			}
		}
	}
}
